"""Tables of boxes: CSV files with a header and a row per box, corners in pixels.

Columns may be called file name, class and corners in the usual ways; `width` and `height`, as TensorFlow's tables have
them, are not needed. A row with an image alone is a negative one.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.annotated_images import AnnotatedImages
from diffaug_pipeline.formats.files import annotation_files, file_errors, find_inside, image_folders, read_head
from diffaug_pipeline.formats.source import (
    Annotations,
    Listing,
    RawBox,
    UnreadableError,
    as_number,
    split_of,
    split_within,
)

COLUMN_NAMES = {
    "image": ("filename", "file_name", "image", "image_path", "path", "file", "img", "image_name"),
    "label": ("class", "label", "class_name", "category", "label_name"),
    "xmin": ("xmin", "x_min", "x1", "left", "bbox_xmin"),
    "ymin": ("ymin", "y_min", "y1", "top", "bbox_ymin"),
    "xmax": ("xmax", "x_max", "x2", "right", "bbox_xmax"),
    "ymax": ("ymax", "y_max", "y2", "bottom", "bbox_ymax"),
}
CORNERS = ("xmin", "ymin", "xmax", "ymax")
SPLIT_COLUMNS = ("split", "set", "subset")
DELIMITERS = ",;\t"
HEAD_BYTES = 10_000
EXPECTED = "expected a header like filename,class,xmin,ymin,xmax,ymax"


def recognise_csv(root: Path) -> Path | None:
    """A file by which `root` looks like a dataset with a table of boxes."""
    return next((file for file in annotation_files(root, [".csv"]) if _columns(_header(file)) is not None), None)


def list_csv(root: Path, max_file_megabytes: float) -> Listing:
    """Every image in the tables below `root`; splits from a column, else from the names of the files or folders.

    Corners are taken as they are, counted from 0 at the picture's edge. Raises `DatasetFormatError`.
    """
    root = root.resolve()
    files = annotation_files(root, [".csv"])
    if not any(_columns(_header(file)) for file in files):
        headers = "; ".join(f"{file.name}: {','.join(_header(file))[:100]}" for file in files[:3])
        raise DatasetFormatError(f"{root} holds no table of boxes{' but ' if headers else ''}{headers}; {EXPECTED}.")
    images = AnnotatedImages(root, max_file_megabytes)
    for file in files:
        if _columns(_header(file)) is None:
            images.refuse(file.relative_to(root).as_posix(), f"not a table of boxes; {EXPECTED}")
        else:
            _gather(file, root, images)
    images.refuse_unmentioned(root)
    return images.listing("csv")


def _header(file: Path) -> list[str]:
    lines = read_head(file, HEAD_BYTES).decode("utf-8-sig", errors="replace").splitlines()
    line = lines[0] if lines else ""
    return [name.strip().strip('"').lower() for name in line.split(_delimiter(line))]


def _delimiter(line: str) -> str:
    return max(DELIMITERS, key=line.count)


def _columns(header: list[str]) -> dict[str, int] | None:
    """Column number by what it holds; None if one is missing."""
    found = {
        what: next((header.index(name) for name in names if name in header), None)
        for what, names in (COLUMN_NAMES | {"split": SPLIT_COLUMNS}).items()
    }
    complete = all(found[what] is not None for what in COLUMN_NAMES)
    return {what: number for what, number in found.items() if number is not None} if complete else None


def _gather(file: Path, root: Path, images: AnnotatedImages) -> None:
    """Rows of one image and split lie anywhere in the file."""
    boxes: dict[tuple[str, str | None], list[RawBox]] = {}
    of_file = next((split for part in reversed(file.relative_to(root).parts) if (split := split_within(part))), None)
    for name, split, box in _rows(file):
        boxes.setdefault((name, of_file if split is None else split), []).extend(box)
    splits = {split: None if split is None else split_of(split) for _, split in boxes}
    folders = {split: image_folders(root, file, known) for split, known in splits.items()}
    for (name, split), of_image in boxes.items():
        try:
            path = find_inside(root, name, folders[split])
        except UnreadableError as error:
            images.refuse(name, str(error))
            continue
        if split is not None and splits[split] is None:
            images.refuse_image(path, f"its split {split!r} is none of train, val and test")
        else:
            images.add(path, splits[split], Annotations(tuple(of_image), "px"))


def _rows(file: Path) -> Iterator[tuple[str, str | None, list[RawBox]]]:
    """Image, split where there is a column for it, and no or one box."""
    columns = _columns(_header(file))
    line = 2
    try:
        with file_errors(file), file.open(encoding="utf-8-sig", newline="") as opened:
            delimiter = _delimiter(opened.readline())
            rows = csv.reader(opened, delimiter=delimiter)
            for row in rows:
                line = rows.line_num + 2
                cells = {what: row[k].strip() if k < len(row) else "" for what, k in columns.items()}
                if cells["image"]:
                    yield cells["image"], cells.get("split") or None, _box(cells)
    except (csv.Error, UnicodeDecodeError) as error:
        raise DatasetFormatError(f"{file}, line {line}: no valid CSV ({error}); {EXPECTED}.") from error


def _box(cells: dict[str, str]) -> list[RawBox]:
    label, corners = cells["label"], [cells[side] for side in CORNERS]
    if not label and not any(corners):
        return []
    left, top, right, bottom = map(as_number, corners)
    return [RawBox(label or "no class", (left, top, right, bottom), known_class=bool(label))]
