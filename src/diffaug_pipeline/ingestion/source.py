"""What the format readers hand over: candidates, each with a label, perhaps a split, and its bytes on demand."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Candidate:
    """Something that may be a labelled picture."""

    image_id: str
    label: str
    split: str | None
    read: Callable[[], bytes]
    path: str | None
    """The user's file, to be used in place; None where the bytes lie inside something else."""
    location: tuple[str, int] | None = None
    """File and row the bytes lie in, where `path` is None."""


@dataclass(frozen=True)
class Listing:
    """All that lies in a dataset."""

    format: str
    candidates: list[Candidate]
    refused: dict[str, str]
    """Reason by name of what is no candidate at all, whole folders and files included."""


NOT_A_SPLIT = "not one of the splits train, val and test that lie beside it"


def split_of(name: str) -> str | None:
    """The split a folder or file name stands for.

    >>> split_of("validation-00000-of-00001"), split_of("Train"), split_of("trainers")
    ('val', 'train', None)
    """
    return SPLIT_NAMES.get(name.lower().split("-")[0])


def are_splits(found: Iterable[str | None]) -> bool:
    """Whether a dataset is cut into splits: it has train and at least one other; what else lies there is none."""
    splits = set(found)
    return "train" in splits and bool(splits & {"val", "test"})
