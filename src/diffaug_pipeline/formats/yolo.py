"""YOLO: a text file per image, a line per object: class index, then centre, width and height as shares of the picture.

`data.yaml` names classes and splits. Its `download:` is never run.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import numpy as np
import yaml

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.annotated_images import AnnotatedImages
from diffaug_pipeline.formats.data_yaml import (
    NOTHING,
    Description,
    class_names,
    describe,
    find_descriptions,
    key_point_columns,
    path_in,
)
from diffaug_pipeline.formats.files import (
    LEAVES,
    PICTURE_SUFFIXES,
    annotation_files,
    files_below,
    find_inside,
    is_file,
    is_folder,
    is_inside,
    read_annotations,
)
from diffaug_pipeline.formats.image_files import export_images
from diffaug_pipeline.formats.source import (
    Annotations,
    Listing,
    RawBox,
    UnreadableError,
    as_number,
    split_of,
    split_within,
)
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.image_set import SPLITS, ImageSet

DIGITS = 9
NO_BOX = (float("nan"),) * 4


def recognise_yolo(root: Path) -> Path | None:
    """A file by which `root` looks like a YOLO dataset."""
    if described := find_descriptions(root):
        return described[0]
    texts = (
        file for file in annotation_files(root, [".txt"]) if "labels" in file.relative_to(root.resolve()).parts[:-1]
    )
    return next(texts, None)


def list_yolo(root: Path, max_file_megabytes: float) -> Listing:
    """Every image of the splits in `data.yaml`, or below `images` folders where there is none, with `classes.txt`.

    An image without a label file is a negative one, as in Ultralytics. Polygons become the boxes around them. Raises
    `DatasetFormatError`.
    """
    root = root.resolve()
    images = AnnotatedImages(root, max_file_megabytes)
    described = describe(root, images)
    names = class_names(described, root)
    labels = LabelFiles(root, names, key_point_columns(described))
    pictures = _pictures_without_description(root) if described is None else _pictures(described, root, images)
    for path, split in dict.fromkeys(pictures):  # a list may repeat itself
        try:
            if not is_inside(path, root):
                raise UnreadableError(LEAVES)
            images.add(path.resolve(), split, labels.of(path))
        except UnreadableError as error:
            images.refuse_image(path, str(error))
    if len(images) and not labels.found:
        raise DatasetFormatError(
            f"none of {len(images)} images in {root} has a label file; labels are looked for in a folder labels beside "
            "images, e.g. labels/train/a.txt for images/train/a.jpg."
        )
    return images.listing("yolo")


def _pictures(described: Description, root: Path, images: AnnotatedImages) -> Iterator[tuple[Path, str]]:
    for key, given in described.content.items():
        split = split_of(key)
        if split is None or given is None or given in NOTHING:
            continue
        for entry in given if isinstance(given, list) else [given]:
            try:
                found = _entry(path_in(entry, key, described.file), described, root, images)
                yield from ((path, split) for path in found)
            except UnreadableError as error:
                if split == "train":
                    raise DatasetFormatError(
                        f"{described.file}: {key}: {entry}: {error}; it should be a folder of images, or a .txt file "
                        "that lists them, inside the dataset folder."
                    ) from None
                images.refuse(f"{described.file.name}: {key}: {entry}", str(error))


def _entry(entry: str, described: Description, root: Path, images: AnnotatedImages) -> list[Path]:
    """The pictures in a folder or in a list; `../images` also means `images`, as in Ultralytics."""
    bases = (described.base, described.file.parent)
    for name in (entry, entry.removeprefix("../")):
        for path in (base / name for base in bases):
            if is_inside(path, root) and is_folder(path):
                return files_below(path.resolve(), PICTURE_SUFFIXES)
    if PurePosixPath(entry).suffix.lower() != ".txt":
        leaves = not is_inside(described.base / entry, root)
        raise UnreadableError(LEAVES if leaves else "the folder is missing")
    return _listed(find_inside(root, entry, bases), described.base, root, images)


def _listed(file: Path, base: Path, root: Path, images: AnnotatedImages) -> list[Path]:
    found = []
    for line in read_annotations(file).decode("utf-8-sig", errors="replace").splitlines():
        if name := line.strip():
            try:
                found.append(find_inside(root, name, (file.parent, base)))
            except UnreadableError as error:
                images.refuse(name, f"{error} (listed in {file.relative_to(root).as_posix()})")
    return found


def _pictures_without_description(root: Path) -> Iterator[tuple[Path, str | None]]:
    for path in files_below(root, PICTURE_SUFFIXES):
        folders = path.relative_to(root).parts[:-1]
        if "images" in folders:
            yield path, next((split for split in map(split_within, folders) if split is not None), None)


class LabelFiles:
    """Finds and reads the label file of each image; `found` counts those that exist."""

    def __init__(self, root: Path, names: Mapping[int, str], key_point_columns: float | None):
        self._root = root
        self._names = names
        self._key_point_columns = key_point_columns
        self.found = 0

    def of(self, picture: Path) -> Annotations:
        """What is known about a picture; raises `UnreadableError` if its label file must not or cannot be read."""
        file = self._root / label_path(picture.relative_to(self._root).as_posix())
        if not is_inside(file, self._root):
            raise UnreadableError(f"its label file {LEAVES}")
        if not os.path.lexists(file):
            return Annotations((), "share")
        self.found += 1
        if not is_file(file):
            raise UnreadableError("its label file is not an ordinary file")
        try:
            lines = read_annotations(file).decode("utf-8-sig").splitlines()
        except (DatasetFormatError, UnicodeDecodeError) as error:
            raise UnreadableError(f"its label file is no readable text ({type(error).__name__})") from None
        boxes, notes = [], set()
        for line in lines:
            if columns := line.split():
                box, note = self._box(columns)
                boxes.append(box)
                notes |= {note} - {None}
        return Annotations(tuple(boxes), "share", notes=tuple(sorted(notes)))

    def _box(self, columns: list[str]) -> tuple[RawBox, str | None]:
        index = as_number(columns[0])
        known = index.is_integer() and int(index) in self._names
        label = self._names[int(index)] if known else f"class index {columns[0][:20]}"
        xyxy, note = self._place(np.array([as_number(value) for value in columns[1:]]), len(columns))
        return RawBox(label, xyxy, known_class=known), note

    def _place(self, values: np.ndarray, columns: int) -> tuple[tuple[float, float, float, float], str | None]:
        if columns in (5, self._key_point_columns):
            center, size = values[:2], values[2:4]
            note = None if columns == 5 else "key points left out"
            return (*(center - size / 2).tolist(), *(center + size / 2).tolist()), note
        if columns >= 7 and columns % 2 and self._key_point_columns is None:
            points = values.reshape(-1, 2)
            return (*points.min(0).tolist(), *points.max(0).tolist()), "polygons replaced by the boxes around them"
        return NO_BOX, None


def label_path(picture: str) -> str:
    """Where the labels of a picture lie: in `labels` beside `images`, else beside the picture.

    >>> label_path("images/train/a.jpg"), label_path("train/a.b.png")
    ('labels/train/a.txt', 'train/a.b.txt')
    """
    parts = list(PurePosixPath(picture).with_suffix(".txt").parts)
    folders = [number for number, part in enumerate(parts[:-1]) if part == "images"]
    if folders:
        parts[folders[-1]] = "labels"
    return "/".join(parts)


def write_yolo(images: ImageSet, folder: Path) -> dict[str, Path]:
    """`images/<split>`, `labels/<split>` and `data.yaml`; returns the file of each image_id.

    Class indices follow the sorted class names. Ignored boxes are left out: the format has no mark for them.
    """
    names = images.class_names
    splits = [split for split in SPLITS if split in set(images.index["split"])]
    written: dict[str, Path] = {}
    for split in splits:
        of_split = images.where(split=split)
        written |= export_images(of_split, folder / "images" / split, taken=written.values())
        (folder / "labels" / split).mkdir(parents=True, exist_ok=True)
        for row, boxes in zip(of_split.index.itertuples(), of_split.boxes, strict=True):
            file = folder / "labels" / split / f"{written[row.image_id].stem}.txt"
            lines = _lines(boxes.counted(), names, (row.width_px, row.height_px))
            file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    described = {split: f"images/{split}" for split in splits} | {"names": dict(enumerate(names))}
    (folder / "data.yaml").write_text(yaml.safe_dump(described, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return written


def _lines(boxes: Boxes, names: list[str], size_px: tuple[int, int]) -> Iterator[str]:
    shares = boxes.xyxy / np.tile(size_px, 2)
    center_and_size = np.hstack([(shares[:, :2] + shares[:, 2:]) / 2, shares[:, 2:] - shares[:, :2]])
    for label, values in zip(boxes.labels, center_and_size, strict=True):
        yield " ".join([str(names.index(label)), *(f"{value:.{DIGITS}f}" for value in values)])
