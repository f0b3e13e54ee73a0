"""Reads a dataset of labelled pictures: lists it, decodes every picture once, settles splits, reports refusals."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.files import PICTURE_SUFFIXES, files_below
from diffaug_pipeline.formats.image_folder import list_image_folder
from diffaug_pipeline.formats.parquet import Unpacker, list_parquet
from diffaug_pipeline.formats.source import Listing
from diffaug_pipeline.imaging.image_set import ImageSet, PlannedImageSet, leading_columns
from diffaug_pipeline.ingestion.options import IngestionOptions
from diffaug_pipeline.ingestion.reading import as_table, examples, locate, read_pictures
from diffaug_pipeline.ingestion.settling import settle

UNPACKED_PER_FOLDER = 500
ALLOWED = "a folder, a parquet file or embedded:fashion_few_shot"

READERS: dict[str, Callable[[Path, float], Listing]] = {
    "image_folder": list_image_folder,
    "parquet": list_parquet,
}


def ingest(options: IngestionOptions) -> tuple[ImageSet | PlannedImageSet, dict[str, Any]]:
    """The dataset as an image set, used in place where it consists of files, and the report.

    Raises `DatasetFormatError` if the dataset cannot be understood or has fewer than two classes.
    """
    listing = list_dataset(options)
    found, refused = read_pictures(listing, options)
    refused = listing.refused | refused
    pictures = as_table(found, refused, options.dataset).assign(label=[candidate.label for candidate, _ in found])
    if pictures["label"].nunique() < 2:
        raise DatasetFormatError(
            f"{options.dataset} has usable pictures of {pictures['label'].nunique()} classes, at least 2 are needed; "
            f"{len(refused)} files were refused{examples(refused)}."
        )
    kept, report = settle(pictures, refused, listing, options.images_per_class, options)
    _check_every_class_is_everywhere(kept)
    report["images"] = {
        split: of_split["label"].value_counts().sort_index().to_dict() for split, of_split in kept.groupby("split")
    }
    return _as_image_set(kept), report


def list_dataset(options: IngestionOptions) -> Listing:
    """What lies in the dataset; no picture is opened. Raises `DatasetFormatError` if it cannot be understood."""
    root = locate(options.dataset, ALLOWED)
    read = READERS[_detect_format(root) if options.format == "auto" else options.format]
    return read(root, options.max_file_megabytes)


def _detect_format(root: Path) -> str:
    if root.is_file():
        if root.suffix == ".parquet":
            return "parquet"
        raise DatasetFormatError(f"{root} is a file; a dataset is a folder or a .parquet file.")
    suffixes = {path.suffix.lower() for path in files_below(root, {".parquet", *PICTURE_SUFFIXES})}
    if ".parquet" not in suffixes:
        return "image_folder"
    if pictures := sorted(suffixes & PICTURE_SUFFIXES):
        raise DatasetFormatError(
            f"{root} holds .parquet and {', '.join(pictures)} files; say which are the dataset with ingestion.format: "
            "parquet or image_folder."
        )
    return "parquet"


def _check_every_class_is_everywhere(pictures: pd.DataFrame) -> None:
    present = pd.crosstab(pictures["label"], pictures["split"])
    absent = [
        f"{label!r} has no {split} images"
        for split in ("train", "val", "test")
        for label in present.index
        if split not in present or present.loc[label, split] == 0
    ]
    if absent:
        raise DatasetFormatError(f"{'; '.join(absent)}; every class needs images in train, val and test.")


def _as_image_set(pictures: pd.DataFrame) -> ImageSet | PlannedImageSet:
    if pictures["path"].notna().all():
        return ImageSet(pictures[leading_columns("label")])
    location = ("source_file", "source_row", "suffix")
    return PlannedImageSet(
        pictures[[*leading_columns("label"), *location]],
        Unpacker(),
        batch_size=UNPACKED_PER_FOLDER,
        making_columns=location,
        description="unpacking",
    )
