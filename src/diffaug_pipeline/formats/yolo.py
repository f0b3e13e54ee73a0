"""YOLO: a text file per image, a line per object: class index, then centre, width and height as shares of the picture.

`data.yaml` names classes and splits. Its `download:` is never run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import yaml

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.annotated_images import AnnotatedImages
from diffaug_pipeline.formats.export import export_images
from diffaug_pipeline.formats.files import LEAVES, PICTURE_SUFFIXES, files_below, find_inside
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

YAML_SUFFIXES = (".yaml", ".yml")
CLASS_LISTS = ("classes.txt", "labels/classes.txt", "images/classes.txt")
NOTHING = ("", "~", "null", "Null", "NULL")
EXPECTED = "expected data.yaml with names, train and val"
DIGITS = 9
NO_BOX = (float("nan"),) * 4


@dataclass(frozen=True)
class Description:
    """What `data.yaml` says."""

    file: Path
    content: Mapping[str, Any]
    base: Path
    """The folder that its paths start from."""


def recognise_yolo(root: Path) -> Path | None:
    """A file by which `root` looks like a YOLO dataset."""
    if described := _descriptions(root):
        return described[0]
    texts = (file for file in files_below(root, [".txt"]) if "labels" in file.relative_to(root.resolve()).parts[:-1])
    return next(texts, None)


def list_yolo(root: Path, max_file_megabytes: float) -> Listing:
    """Every image of the splits in `data.yaml`, or below `images` folders where there is none, with `classes.txt`.

    An image without a label file is a negative one, as in Ultralytics. Polygons become the boxes around them. Raises
    `DatasetFormatError`.
    """
    root = root.resolve()
    images = AnnotatedImages(root, max_file_megabytes)
    described = _described(root, images)
    names = _class_names(described, root)
    labels = LabelFiles(root, names, _key_point_columns(described))
    pictures = _pictures_without_description(root) if described is None else _pictures(described, root, images)
    for path, split in pictures:
        try:
            images.add(path.resolve(), split, labels.of(path))
        except UnreadableError as error:
            images.refuse_image(path.resolve(), str(error))
    if len(images) and not labels.found:
        raise DatasetFormatError(
            f"none of {len(images)} images in {root} has a label file; labels are looked for in a folder labels beside "
            "images, e.g. labels/train/a.txt for images/train/a.jpg."
        )
    return images.listing("yolo")


def _descriptions(root: Path) -> list[Path]:
    root = root.resolve()
    files = [file for file in files_below(root, YAML_SUFFIXES) if file.parent == root]
    named = [file for file in files if file.stem.lower() == "data"]
    return named or [file for file in files if {"names", "train"} & set(_keys(file))]


def _keys(file: Path) -> list[str]:
    """The keys at the left margin, without parsing the rest."""
    lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    return [line.split(":")[0] for line in lines if ":" in line and not line[:1].isspace()]


def _described(root: Path, images: AnnotatedImages) -> Description | None:
    files = _descriptions(root)
    if len(files) > 1:
        raise DatasetFormatError(
            f"{root} holds {' and '.join(file.name for file in files)}; call the one that counts data.yaml."
        )
    if not files:
        return None
    content = _read(files[0])
    if content.get("download") not in (None, *NOTHING):
        images.note(f"{files[0].name}: download: was not run")
    return Description(files[0], content, _base(files[0], content, root, images))


def _read(file: Path) -> Mapping[str, Any]:
    """All scalars as text, so that a class called `no` or `2020-01-01` stays one."""
    try:
        content = yaml.load(file.read_text(encoding="utf-8-sig"), Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DatasetFormatError(f"{file}, line {line}: no valid YAML ({error.problem}); {EXPECTED}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DatasetFormatError(f"{file}: no valid YAML ({type(error).__name__}); {EXPECTED}.") from error
    if not isinstance(content, dict):
        raise DatasetFormatError(f"{file}, line 1: holds no keys; {EXPECTED}.")
    return content


def _base(file: Path, content: Mapping[str, Any], root: Path, images: AnnotatedImages) -> Path:
    given = content.get("path")
    if given is None or given in NOTHING:
        return file.parent
    path = Path(file.parent, _text(given, "path", file))
    if not _exists(path):
        images.note(f"{file.name}: path: {given} does not exist here, read relative to the file")
        return file.parent
    if not path.resolve().is_relative_to(root):
        raise DatasetFormatError(
            f"{file}: path: {given} {LEAVES}; remove the line, or set ingestion.dataset to a folder that holds both."
        )
    return path.resolve()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # another user's folder
        return False


def _class_names(described: Description | None, root: Path) -> dict[int, str]:
    """Class names by index."""
    if described is not None and (names := _names_in(described)):
        return names
    for name in CLASS_LISTS:
        if (root / name).is_file() and (root / name).resolve().is_relative_to(root):
            lines = (root / name).read_text(encoding="utf-8-sig", errors="replace").splitlines()
            return {index: line.strip() for index, line in enumerate(lines) if line.strip()}
    where = f"{described.file} names no classes" if described else f"{root} holds no data.yaml and no classes.txt"
    raise DatasetFormatError(f"{where}; add names: to data.yaml, or classes.txt with a class per line.")


def _names_in(described: Description) -> dict[int, str]:
    names = described.content.get("names")
    numbered = names.items() if isinstance(names, dict) else enumerate(names) if isinstance(names, list) else ()
    try:
        known = {int(index): name.strip() for index, name in numbered}
        if not known and "nc" in described.content:
            known = {index: f"class_{index}" for index in range(min(int(described.content["nc"]), 100_000))}
    except (ValueError, TypeError, AttributeError):
        raise DatasetFormatError(
            f"{described.file}: names is neither a list of class names nor one name per class index; write e.g. "
            "names: [cat, dog]."
        ) from None
    return known


def _text(value: Any, key: str, file: Path) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise DatasetFormatError(f"{file}: {key} holds a {type(value).__name__}; write a folder, or a list of folders.")
    return value


def _key_point_columns(described: Description | None) -> float | None:
    """How many columns a line has in a dataset of key points; None in an ordinary one."""
    shape = described.content.get("kpt_shape") if described else None
    return 5 + float(np.prod([as_number(value) for value in shape])) if isinstance(shape, list) else None


def _pictures(described: Description, root: Path, images: AnnotatedImages) -> Iterator[tuple[Path, str]]:
    for key, given in described.content.items():
        split = split_of(key)
        if split is None or given is None or given in NOTHING:
            continue
        for entry in given if isinstance(given, list) else [given]:
            try:
                found = _entry(_text(entry, key, described.file), described, root, images)
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
            if path.resolve().is_relative_to(root) and path.is_dir():
                return files_below(path.resolve(), PICTURE_SUFFIXES)
    if PurePosixPath(entry).suffix.lower() != ".txt":
        leaves = not (described.base / entry).resolve().is_relative_to(root)
        raise UnreadableError(LEAVES if leaves else "the folder is missing")
    return _listed(find_inside(root, entry, bases), described.base, root, images)


def _listed(file: Path, base: Path, root: Path, images: AnnotatedImages) -> list[Path]:
    found = []
    for line in file.read_text(encoding="utf-8-sig", errors="replace").splitlines():
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
        if not file.resolve().is_relative_to(self._root):
            raise UnreadableError(f"its label file {LEAVES}")
        if not file.is_file():
            return Annotations((), "share")
        self.found += 1
        try:
            lines = file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
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
        if columns == 5 or columns == self._key_point_columns:
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
