"""Fills a folder with the augmented dataset, in each format that is asked for."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from diffaug_pipeline.export.options import ImageExportOptions, SceneExportOptions
from diffaug_pipeline.formats.coco import write_coco
from diffaug_pipeline.formats.image_folder import write_image_folder
from diffaug_pipeline.formats.parquet_writing import write_parquet
from diffaug_pipeline.formats.provenance import tabulate_provenance
from diffaug_pipeline.formats.webdataset import write_webdataset
from diffaug_pipeline.formats.yolo import write_yolo
from diffaug_pipeline.imaging.image_set import ImageSet

CARD = "README.md"
TABLE = "images.csv"
FILE_FORMATS = {"image_folder": write_image_folder, "coco": write_coco, "yolo": write_yolo}
"""Formats in which every image is a file of its own."""
SHARD_FORMATS = {"parquet": write_parquet, "webdataset": write_webdataset}
"""Formats in which a file holds many images, and what is known of each."""


def write_dataset(
    images: ImageSet,
    render_card: Callable[[str], str],
    options: ImageExportOptions | SceneExportOptions,
    folder: Path,
) -> None:
    """Fills `folder` with a folder per format; in each lies the card that `render_card` makes for it.

    Beside files of single images lies `images.csv`, a row per image with its file, size, label and provenance. Equal
    images and cards give equal bytes.
    """
    for name in options.formats:
        place = folder / name
        if name in SHARD_FORMATS:
            SHARD_FORMATS[name](images, place, options.shard_megabytes)
        else:
            _tabulate(images, FILE_FORMATS[name](images, place), place).to_csv(place / TABLE, index=False)
        (place / CARD).write_text(render_card(name), encoding="utf-8")


def _tabulate(images: ImageSet, written: dict[str, Path], folder: Path) -> pd.DataFrame:
    files = [written[image_id].relative_to(folder).as_posix() for image_id in images.index["image_id"]]
    columns = ["width_px", "height_px", *(["label"] if images.target == "label" else [])]
    known = pd.concat([images.index[columns], tabulate_provenance(images)], axis=1)
    known.insert(0, "file_name", files)
    return known
