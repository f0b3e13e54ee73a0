"""Reads a dataset of pictures with boxes: like `ingest`, with a rule for every kind of bad box."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.coco import list_coco, recognise_coco
from diffaug_pipeline.formats.csv_table import list_csv, recognise_csv
from diffaug_pipeline.formats.source import Candidate, Listing
from diffaug_pipeline.formats.voc import list_voc, recognise_voc
from diffaug_pipeline.formats.yolo import list_yolo, recognise_yolo
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.image_set import ImageSet, leading_columns
from diffaug_pipeline.ingestion.box_rules import Problem, check_boxes, summarise
from diffaug_pipeline.ingestion.image_file import Picture
from diffaug_pipeline.ingestion.options import DetectionIngestionOptions
from diffaug_pipeline.ingestion.reading import as_table, examples, locate, read_pictures
from diffaug_pipeline.ingestion.settling import settle

READERS: dict[str, Callable[[Path, float], Listing]] = {
    "coco": list_coco,
    "yolo": list_yolo,
    "voc": list_voc,
    "csv": list_csv,
}
RECOGNISERS: dict[str, Callable[[Path], Path | None]] = {
    "coco": recognise_coco,
    "yolo": recognise_yolo,
    "voc": recognise_voc,
    "csv": recognise_csv,
}


def ingest_annotated(options: DetectionIngestionOptions) -> tuple[ImageSet, dict[str, Any]]:
    """The dataset as an image set with boxes, its files used in place, and the report.

    Raises `DatasetFormatError` if the dataset cannot be understood, holds no box, or if a class that is to be found in
    one split is not in the other.
    """
    listing = list_annotated(options)
    found, refused = read_pictures(listing, options)
    found, boxes, problems, unusable = _check_all(found, options)
    refused = listing.refused | refused | unusable
    pictures = as_table(found, refused, options.dataset).assign(boxes=[of_image.records() for of_image in boxes])
    if not any(len(of_image.counted()) for of_image in boxes):
        raise DatasetFormatError(
            f"{options.dataset}, read as {listing.format}, has {len(boxes)} usable images without any box; "
            f"{len(refused)} images were refused{examples(refused)}."
        )
    kept, report = settle(pictures, refused, listing, options.images, options)
    report |= _contents(kept)
    report["box_problems"] = summarise(problems, options)
    _check_classes(report["boxes"])
    return ImageSet(kept[leading_columns("boxes")]), report


def list_annotated(options: DetectionIngestionOptions) -> Listing:
    """What lies in the dataset; no picture is opened. Raises `DatasetFormatError` if it cannot be understood."""
    root = locate(options.dataset, "a folder or embedded:fashion_scenes")
    if not root.is_dir():
        raise DatasetFormatError(f"{root} is a file; set ingestion.dataset to the folder that holds images and boxes.")
    read = READERS[_detect_format(root) if options.format == "auto" else options.format]
    return read(root, options.max_file_megabytes)


def _detect_format(root: Path) -> str:
    evidence = {name: recognise(root) for name, recognise in RECOGNISERS.items()}
    found = {name: file for name, file in evidence.items() if file is not None}
    if len(found) == 1:
        return next(iter(found))
    if not found:
        raise DatasetFormatError(
            f"{root} looks like none of {', '.join(RECOGNISERS)}: there is no COCO .json, no data.yaml or labels "
            "folder, no VOC .xml and no .csv with a header of box columns."
        )
    seen = " and ".join(f"{name} ({file.relative_to(root.resolve()).as_posix()})" for name, file in found.items())
    raise DatasetFormatError(f"{root} looks like {seen}; say which counts with ingestion.format.")


def _check_all(
    found: list[tuple[Candidate, Picture]], options: DetectionIngestionOptions
) -> tuple[list[tuple[Candidate, Picture]], list[Boxes], list[Problem], dict[str, str]]:
    """Images that stay with their boxes, all problems, and the images that have to go."""
    kept, boxes, problems, refused = [], [], [], {}
    for candidate, picture in found:
        checked = check_boxes(candidate.image_id, candidate.annotations, picture, options)
        problems.extend(checked.problems)
        if checked.refusal is not None:
            refused[candidate.image_id] = checked.refusal.reason
            continue
        kept.append((candidate, replace(picture, notes=picture.notes + checked.notes)))
        boxes.append(checked.boxes)
    return kept, boxes, problems, refused


def _contents(pictures: pd.DataFrame) -> dict[str, Any]:
    """Images, negatives and boxes by split."""
    splits = {split: [Boxes.of(records) for records in cell] for split, cell in pictures.groupby("split")["boxes"]}
    return {
        "images": {split: len(cell) for split, cell in splits.items()},
        "negatives": {split: sum(not len(boxes) for boxes in cell) for split, cell in splits.items()},
        "boxes": {split: _count(cell) for split, cell in splits.items()},
    }


def _count(boxes: Iterable[Boxes]) -> dict[str, int]:
    return dict(sorted(Counter(str(label) for of_image in boxes for label in of_image.counted().labels).items()))


def _check_classes(boxes: dict[str, dict[str, int]]) -> None:
    """What is trained on is tested, and what is tested was trained on."""
    classes = {split: set(boxes.get(split, ())) for split in ("train", "val", "test")}
    if not classes["val"]:
        raise DatasetFormatError(
            "no image of the split val has a box, so there is nothing to choose checkpoints on; move images with "
            "objects there, or leave val out and it is cut from train."
        )
    absent = [
        f"{label!r} has boxes in {there} and none in {missing}"
        for there, missing in (("val", "train"), ("test", "train"), ("train", "test"))
        for label in sorted(classes[there] - classes[missing])
    ]
    if absent:
        raise DatasetFormatError(
            f"{'; '.join(absent)}; every class needs boxes in train and test: add images, remove the class, or change "
            "the splits."
        )
