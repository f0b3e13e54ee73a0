"""Synthetic images that hardly differ from a better one; the best of them stays.

Score: `near_duplicate_distance`, in [0, 1], to the nearest better image that stays; null where there is none. It is
taken where two pictures differ most: the largest root mean square difference in any of 4x4 cells of the gray picture,
so that two scenes with one background and different objects are not alike.

A rule about the set as a whole: an image that failed another rule puts out nobody, but gets its distance all the same.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.options import CommonFilteringOptions
from diffaug_pipeline.imaging.thumbnails import THUMBNAIL_PX

CELLS, CELL_PX = 4, 4
BLOCK = 512


def describe(thumbnails: np.ndarray) -> np.ndarray:
    """(N, 16, 16) uint8 cells and their pixels, averaged from (N, 64, 64) gray thumbnails."""
    averaged = THUMBNAIL_PX // (CELLS * CELL_PX)
    grid = thumbnails.reshape(len(thumbnails), CELLS, CELL_PX, averaged, CELLS, CELL_PX, averaged).mean((3, 6))
    return np.rint(grid).astype(np.uint8).transpose(0, 1, 3, 2, 4).reshape(len(thumbnails), CELLS**2, CELL_PX**2)


def calibrate(train: Evidence, options: CommonFilteringOptions) -> dict[str, float]:
    """How far real training images of other content keep apart; 0, which only equal pictures do, if there are none."""
    descriptors = describe(train.thumbnails)
    nearest = np.full(len(descriptors), np.inf)
    for rows in _blocks(np.arange(len(descriptors))):
        for columns in _blocks(np.arange(len(descriptors))):
            apart = distances(descriptors[rows], descriptors[columns])
            apart[apart == 0] = np.inf
            nearest[rows] = np.minimum(nearest[rows], apart.min(1))
    rule, known = options.near_duplicates, nearest[np.isfinite(nearest)]
    return {"near_duplicate_distance": float(np.quantile(known, rule.quantile)) * rule.share if len(known) else 0.0}


def passes(scored: pd.DataFrame, thresholds: dict[str, float]) -> pd.Series:
    """Not what lies too near to a better image that stays, given which ones stay."""
    return ~(scored["near_duplicate_distance"] <= thresholds["near_duplicate_distance"])


def score_set(
    descriptors: np.ndarray, scores: np.ndarray, standing: np.ndarray, thresholds: dict[str, float]
) -> np.ndarray:
    """(N,) distances, NaN where there is none, of (N,) `scores`; `standing` are those that no other rule rejects.

    The best image stays, then each next one unless a better one that stays is a near duplicate of it; of equal scores
    the first row counts as better. Memory: the descriptors, and the distances of one block to another.
    """
    limit, count = thresholds["near_duplicate_distance"], len(descriptors)
    order = np.lexsort((-scores, ~standing))
    nearest, stays = np.full(count, np.inf), np.zeros(count, dtype=bool)
    for start in range(0, count, BLOCK):
        block = order[start : start + BLOCK]
        for better in _blocks(order[:start][stays[order[:start]]]):
            nearest[block] = np.minimum(nearest[block], distances(descriptors[block], descriptors[better]).min(1))
        within = distances(descriptors[block], descriptors[block])
        for place, row in enumerate(block):
            nearest[row] = within[place, :place].min(where=stays[block[:place]], initial=nearest[row])
            stays[row] = standing[row] and nearest[row] > limit
    return np.where(np.isfinite(nearest), nearest, np.nan)


def distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N, M) largest root mean square difference in any cell between (N, 16, 16) and (M, 16, 16) descriptors.

    >>> black, white = np.zeros((1, 16, 16), np.uint8), np.full((1, 16, 16), 255, np.uint8)
    >>> float(distances(black, white)[0, 0])
    1.0
    """
    # |a - b|^2 as one product per cell; the terms are integers below 2^24, so float32 holds them exactly.
    left, right = (cells.transpose(1, 0, 2).astype(np.float32) for cells in (first, second))
    left = np.concatenate([left, (left**2).sum(2, keepdims=True), np.ones_like(left[..., :1])], axis=2)
    right = np.concatenate([-2 * right, np.ones_like(right[..., :1]), (right**2).sum(2, keepdims=True)], axis=2)
    squared = (left @ right.transpose(0, 2, 1)).max(0)
    return np.sqrt(squared / CELL_PX**2) / 255


def _blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    return (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))
