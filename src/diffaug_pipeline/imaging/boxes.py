"""The boxes of one picture, in pixels of the upright picture, and their geometry.

Coordinates are continuous: a box that covers the leftmost pixel column alone has x from 0 to 1. In an index a picture's
boxes are a list of records `{"label": str, "xyxy": [left, top, right, bottom], "ignored": bool}`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Boxes:
    """N boxes with their class names.

    `ignored` ones (crowds, difficult objects) are no targets of training and count neither as found nor as missed.
    """

    labels: np.ndarray
    """(N,) str"""
    xyxy: np.ndarray
    """(N, 4) float64: left, top, right, bottom"""
    ignored: np.ndarray
    """(N,) bool"""

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Any]]) -> "Boxes":
        """From the records of an index cell.

        >>> Boxes.of([{"label": "bag", "xyxy": [1, 2, 3, 4], "ignored": False}]).xyxy.tolist()
        [[1.0, 2.0, 3.0, 4.0]]
        """
        rows = list(records)
        return cls(
            labels=np.array([row["label"] for row in rows], dtype=object),
            xyxy=np.array([list(row["xyxy"]) for row in rows], dtype=np.float64).reshape(-1, 4),
            ignored=np.array([row["ignored"] for row in rows], dtype=bool),
        )

    def records(self) -> list[dict[str, Any]]:
        """What an index cell holds."""
        return [
            {"label": str(label), "xyxy": xyxy, "ignored": ignored}
            for label, xyxy, ignored in zip(self.labels, self.xyxy.tolist(), self.ignored.tolist(), strict=True)
        ]

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, chosen: np.ndarray) -> "Boxes":
        """The boxes at the (N,) bool or (M,) int positions `chosen`."""
        return Boxes(self.labels[chosen], self.xyxy[chosen], self.ignored[chosen])

    def counted(self) -> "Boxes":
        """Without the ignored ones."""
        return self.where(~self.ignored)

    def placed_at(self, xyxy: np.ndarray) -> "Boxes":
        """The same objects at other (N, 4) places."""
        return Boxes(self.labels, np.asarray(xyxy, dtype=np.float64).reshape(-1, 4), self.ignored)

    def __add__(self, other: "Boxes") -> "Boxes":
        return Boxes(
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.xyxy, other.xyxy]),
            np.concatenate([self.ignored, other.ignored]),
        )


def areas(xyxy: np.ndarray) -> np.ndarray:
    """(N,) areas in square pixels of (N, 4) boxes; inverted ones have none."""
    return (xyxy[:, 2] - xyxy[:, 0]).clip(0) * (xyxy[:, 3] - xyxy[:, 1]).clip(0)


def intersections(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N, M) areas that (N, 4) and (M, 4) boxes share."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    opposite = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return (opposite - corner).clip(0).prod(2)


def ious(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N, M) intersection over union, in [0, 1], of (N, 4) and (M, 4) boxes.

    >>> ious(np.array([[0, 0, 2, 2]]), np.array([[1, 0, 3, 2], [5, 5, 6, 6]])).round(3).tolist()
    [[0.333, 0.0]]
    """
    shared = intersections(first, second)
    union = areas(first)[:, None] + areas(second)[None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared, dtype=np.float64), where=union > 0)


def clip(xyxy: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """(N, 4) boxes cut at the borders of a picture of `size_px` (width, height)."""
    return xyxy.clip(0, [*size_px, *size_px])


def extent(mask: np.ndarray) -> tuple[int, int, int, int] | None:
    """The smallest box, in pixels, around what is true in the (H, W) `mask`; None if nothing is.

    >>> extent(np.array([[False, False], [False, True]]))
    (1, 1, 2, 2)
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
