"""What the format readers hand over: candidates, each labelled, perhaps with a split, and its bytes on demand."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}


class UnreadableError(Exception):
    """A candidate whose bytes cannot be had; the message is the reason for its refusal."""


@dataclass(frozen=True, slots=True)
class RawBox:
    """One box as the dataset states it, not yet checked."""

    label: str
    """The class name; where there is none, what stands in its place, e.g. `category id 7`."""
    xyxy: tuple[float, float, float, float]
    """Left, top, right, bottom; NaN where there is no number."""
    ignored: bool = False
    """A crowd (COCO) or a difficult object (VOC)."""
    known_class: bool = True


@dataclass(frozen=True, slots=True)
class Annotations:
    """All that a dataset states about the objects in one image."""

    boxes: tuple[RawBox, ...]
    unit: Literal["px", "share"]
    """Pixels of the recorded size, or shares of width and height."""
    recorded_size_px: tuple[int, int] | None = None
    """(width, height) of the picture the boxes were drawn on; None if the dataset does not say."""
    notes: tuple[str, ...] = ()
    """What had to be handled."""


@dataclass(frozen=True)
class Candidate:
    """Something that may be a labelled picture; it has a label or annotations."""

    image_id: str
    label: str | None
    split: str | None
    read: Callable[[], bytes]
    path: str | None
    """The user's file, to be used in place; None where the bytes lie inside something else."""
    location: tuple[str, int] | None = None
    """File and row the bytes lie in, where `path` is None."""
    annotations: Annotations | None = None


@dataclass(frozen=True)
class Listing:
    """All that lies in a dataset."""

    format: str
    candidates: list[Candidate]
    refused: dict[str, str]
    """Reason by name of what is no candidate at all, whole folders and files included."""
    notes: tuple[str, ...] = ()
    """What had to be handled in the dataset as a whole."""


NOT_A_SPLIT = "not one of the splits train, val and test that lie beside it"


def split_of(name: str) -> str | None:
    """The split a folder or file name stands for.

    >>> split_of("validation-00000-of-00001"), split_of("Train"), split_of("trainers")
    ('val', 'train', None)
    """
    return SPLIT_NAMES.get(name.lower().split("-")[0])


def split_within(name: str) -> str | None:
    """The one split that is a word of a file or folder name.

    >>> split_within("instances_train2017.json"), split_within("valid"), split_within("trainval"), split_within("a_b")
    ('train', 'val', None, None)
    """
    found = {SPLIT_NAMES[word] for word in re.findall("[a-z]+", name.lower()) if word in SPLIT_NAMES}
    return found.pop() if len(found) == 1 else None


def as_number(value: Any) -> float:
    """What a file gives as a coordinate; NaN if it is no finite number.

    >>> as_number("3.5"), as_number(None), as_number("1e999"), as_number(10**400)
    (3.5, nan, nan, nan)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return float("nan")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return float("nan")
    return number if abs(number) < float("inf") else float("nan")


def as_size(width: Any, height: Any) -> tuple[int, int] | None:
    """The size in pixels that a file gives; None if it gives none.

    >>> as_size("640", 480), as_size(0, 480), as_size(640, "1e999")
    ((640, 480), None, None)
    """
    size = as_number(width), as_number(height)
    return (int(size[0]), int(size[1])) if size[0] > 0 and size[1] > 0 else None


def are_splits(found: Iterable[str | None]) -> bool:
    """Whether a dataset is cut into splits: it has train and at least one other; what else lies there is none."""
    splits = set(found)
    return "train" in splits and bool(splits & {"val", "test"})
