"""COCO: JSON files with `images`, `annotations` and `categories`; a box is left, top, width, height in pixels."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.annotated_images import AnnotatedImages
from diffaug_pipeline.formats.files import annotation_files, find_inside, image_folders, read_annotations, read_head
from diffaug_pipeline.formats.image_files import export_images, labels_of
from diffaug_pipeline.formats.source import (
    Annotations,
    Listing,
    RawBox,
    UnreadableError,
    as_number,
    as_size,
    split_within,
)
from diffaug_pipeline.imaging.boxes import areas
from diffaug_pipeline.imaging.image_set import ImageSet

HEAD_BYTES = 65_536
LIST_KEY = re.compile(rb'"(images|annotations)"\s*:\s*\[')
LISTS = ("images", "annotations", "categories")
EXPECTED = "expected a COCO file with the lists images, annotations and categories"


def recognise_coco(root: Path) -> Path | None:
    """A file by which `root` looks like a COCO dataset; its whole content is not read."""
    return next(iter(_annotation_files(root)), None)


def list_coco(root: Path, max_file_megabytes: float) -> Listing:
    """Every image of all COCO files below `root`; the split is in the name of the file or of a folder above it.

    Where there are files called `instances_…`, only those count (key points and captions lie beside them). Category
    ids are looked up file by file; names decide what is one class. Raises `DatasetFormatError`.
    """
    root = root.resolve()
    files = _annotation_files(root)
    if not files:
        _explain_absence(root)
    images = AnnotatedImages(root, max_file_megabytes)
    instances = [file for file in files if file.name.startswith("instances_")]
    for file in files:
        if instances and file not in instances:
            images.refuse(file.relative_to(root).as_posix(), "left out: instances_… files lie beside it")
        else:
            _gather(file, root, images)
    images.refuse_unmentioned(root)
    return images.listing("coco")


def _annotation_files(root: Path) -> list[Path]:
    return [file for file in annotation_files(root, [".json"]) if LIST_KEY.search(read_head(file, HEAD_BYTES))]


def _explain_absence(root: Path) -> None:
    files = annotation_files(root, [".json"])
    for file in files:
        _read(file)
    raise DatasetFormatError(
        f"{root} holds no COCO annotations among {len(files)} .json files; {EXPECTED}, e.g. "
        "annotations/instances_train.json."
    )


def _read(file: Path) -> Any:
    content = read_annotations(file)
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise DatasetFormatError(f"{file}, line {error.lineno}: no valid JSON ({error.msg}); {EXPECTED}.") from error
    except (ValueError, RecursionError) as error:
        raise DatasetFormatError(f"{file}: no valid JSON ({type(error).__name__}); {EXPECTED}.") from error


def _gather(file: Path, root: Path, images: AnnotatedImages) -> None:
    name, content = file.relative_to(root).as_posix(), _read(file)
    if not isinstance(content, dict) or any(not isinstance(content.get(key, []), list) for key in LISTS):
        raise DatasetFormatError(f"{file} is JSON of another kind; {EXPECTED}.")
    if absent := [key for key in LISTS if key not in content]:
        images.refuse(name, f"holds no {' and no '.join(absent)}")
        return
    categories = _category_names(content["categories"])
    boxes, homeless = _boxes_by_image(content, categories)
    if homeless:
        images.refuse(f"{name}: annotations", f"{len(homeless)} belong to no image, e.g. {homeless[0]}")
    _gather_images(content["images"], boxes, file, root, images)


def _category_names(categories: list[Any]) -> dict[Any, str]:
    return {
        _id(category.get("id")): str(category["name"]).strip()
        for category in categories
        if isinstance(category, dict) and category.get("name") not in (None, "")
    }


def _boxes_by_image(content: dict[str, Any], categories: dict[Any, str]) -> tuple[dict[Any, list[RawBox]], list[str]]:
    """Boxes by image id, and the positions of annotations that belong to no image."""
    known = {_id(entry.get("id")) for entry in content["images"] if isinstance(entry, dict)} - {None}
    boxes: dict[Any, list[RawBox]] = defaultdict(list)
    homeless = []
    for position, annotation in enumerate(content["annotations"]):
        image = _id(annotation.get("image_id")) if isinstance(annotation, dict) else None
        if image in known:
            boxes[image].append(_box(annotation, categories))
        else:
            homeless.append(f"annotations[{position}]")
    return boxes, homeless


def _box(annotation: dict[str, Any], categories: dict[Any, str]) -> RawBox:
    category = _id(annotation.get("category_id"))
    given = annotation.get("bbox")
    xywh = [as_number(value) for value in given] if isinstance(given, list) and len(given) == 4 else [float("nan")] * 4
    return RawBox(
        label=categories.get(category, f"category id {category}"),
        xyxy=(xywh[0], xywh[1], xywh[0] + xywh[2], xywh[1] + xywh[3]),
        ignored=annotation.get("iscrowd") in (1, True),
        known_class=category in categories,
    )


def _gather_images(
    entries: list[Any], boxes: dict[Any, list[RawBox]], file: Path, root: Path, images: AnnotatedImages
) -> None:
    split = _split(file, root)
    folders = image_folders(root, file, split)
    ids = [_id(entry.get("id")) if isinstance(entry, dict) else None for entry in entries]
    repeated = {image for image, count in Counter(ids).items() if count > 1}
    for position, (image, entry) in enumerate(zip(ids, entries, strict=True)):
        name = entry.get("file_name") if isinstance(entry, dict) else None
        if image is None or not isinstance(name, str) or not name:
            images.refuse(f"{file.relative_to(root).as_posix()}: images[{position}]", "has no id or no file_name")
            continue
        try:
            path = find_inside(root, name, folders)
        except UnreadableError as error:
            images.refuse(name, str(error))
            continue
        if image in repeated:
            images.refuse_image(path, f"its id {image} stands for several images")
        else:
            size = as_size(entry.get("width"), entry.get("height"))
            images.add(path, split, Annotations(tuple(boxes.get(image, ())), "px", size))


def _split(file: Path, root: Path) -> str | None:
    parts = reversed(file.relative_to(root).parts)
    return next((split for split in map(split_within, parts) if split is not None), None)


def _id(value: Any) -> Any:
    """An id that can be looked up; None if there is none."""
    is_id = isinstance(value, int | str) or (isinstance(value, float) and value.is_integer())
    return value if is_id and not isinstance(value, bool) else None


def write_coco(images: ImageSet, folder: Path) -> dict[str, Path]:
    """`<split>/…` and `annotations/instances_<split>.json`; returns the file of each image_id.

    Categories are the sorted class names, numbered from 1. Ignored boxes have `iscrowd` 1. No two splits share an id.
    """
    labels = labels_of(images)
    number_of = {image_id: number for number, image_id in enumerate(images.index["image_id"], start=1)}
    annotation_ids = count(1)
    written: dict[str, Path] = {}
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    for split in sorted(images.index["split"].unique()):
        of_split = images.where(split=split)
        written |= export_images(of_split, folder / split, taken=written.values())
        document = {
            "images": [
                {
                    "id": number_of[row.image_id],
                    "file_name": written[row.image_id].name,
                    "width": int(row.width_px),
                    "height": int(row.height_px),
                }
                for row in of_split.index.itertuples()
            ],
            "annotations": _annotations(of_split, labels, number_of, annotation_ids),
            "categories": [{"id": number, "name": label} for number, label in enumerate(labels, start=1)],
        }
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(document), encoding="utf-8")
    return written


def _annotations(
    images: ImageSet, labels: list[str], number_of: Mapping[str, int], ids: Iterator[int]
) -> list[dict[str, Any]]:
    annotations = []
    for image_id, boxes in zip(images.index["image_id"], images.boxes, strict=True):
        for record, area in zip(boxes.records(), areas(boxes.xyxy).tolist(), strict=True):
            left, top, right, bottom = record["xyxy"]
            annotations.append(
                {
                    "id": next(ids),
                    "image_id": number_of[image_id],
                    "category_id": labels.index(record["label"]) + 1,
                    "bbox": [left, top, right - left, bottom - top],
                    "area": area,
                    "iscrowd": int(record["ignored"]),
                }
            )
    return annotations
