"""What the format readers hand over: candidates, each with a label, perhaps a split, and its bytes on demand."""

from collections.abc import Callable
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
    """Reason by name of what is no candidate at all."""
