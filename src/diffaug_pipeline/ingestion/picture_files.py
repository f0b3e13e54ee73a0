"""The pictures in a folder as they are, all of one split: what other programs have made, say. A dataset is ingested."""

from pathlib import Path
from typing import Any, Literal

import pandas as pd

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.files import PICTURE_SUFFIXES, files_below
from diffaug_pipeline.imaging.image_set import ImageSet, leading_columns
from diffaug_pipeline.ingestion.image_file import Refusal, inspect_picture


def list_pictures(
    folder: Path, origin: Literal["real", "synthetic"], max_megapixels: float, split: str = "train"
) -> ImageSet:
    """Every picture file below `folder`, labelled with the name of the folder that it lies in.

    Raises `DatasetFormatError` where there is none, or one that does not decode or is larger than `max_megapixels`.
    """
    found = [_row(path, folder, max_megapixels) for path in files_below(folder, PICTURE_SUFFIXES)]
    if not found:
        raise DatasetFormatError(f"{folder} holds no pictures; name a folder with files such as .png or .jpg.")
    index = pd.DataFrame(found).assign(split=split, origin=origin)
    return ImageSet(index[leading_columns("label")])


def _row(path: Path, folder: Path, max_megapixels: float) -> dict[str, Any]:
    picture = inspect_picture(path.read_bytes(), path.name, max_megapixels)
    if isinstance(picture, Refusal):
        raise DatasetFormatError(f"{path}: {picture.reason}; mend or remove it.")
    return {
        "image_id": path.relative_to(folder).as_posix(),
        "path": str(path.resolve()),
        "label": path.parent.name,
        "recipe": None,
        **picture.columns,
    }
