"""Train, val and test: kept where the dataset has them, else drawn per class with look-alikes kept together."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.ingestion.options import ImagesPerClass, SplitShares
from diffaug_pipeline.seeding import derive_seed

DISTANCES_PER_BLOCK = 10_000_000


def near_duplicate_groups(thumbnails: np.ndarray, distance: float) -> np.ndarray:
    """(N,) group number of each of the (N, 256) uint8 thumbnails; pictures linked by close pairs share one.

    >>> near_duplicate_groups(np.array([[0] * 256, [200] * 256, [1] * 256], np.uint8), 0.02).tolist()
    [0, 1, 0]
    """
    everyone = np.arange(len(thumbnails))
    leader = everyone
    for rows, columns in _close_pairs(thumbnails.astype(np.float32) / 255, distance):
        first, second = np.concatenate([everyone, rows]), np.concatenate([leader, columns])
        graph = coo_matrix((np.ones(len(first), bool), (first, second)), shape=(len(everyone),) * 2)
        _, members = connected_components(graph, directed=False)
        leader = np.unique(members, return_index=True)[1][members]
    return np.unique(leader, return_inverse=True)[1]


def _close_pairs(vectors: np.ndarray, distance: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Row numbers of close pictures, each pair once, block by block."""
    if distance == 0:
        return
    squared = (vectors**2).sum(1)
    limit = distance**2 * vectors.shape[1]
    size = max(1, DISTANCES_PER_BLOCK // len(vectors))
    for start in range(0, len(vectors), size):
        block, later = slice(start, start + size), slice(start, None)
        distances = squared[block, None] + squared[None, later] - 2 * vectors[block] @ vectors[later].T
        rows, columns = np.nonzero(np.triu(distances < limit, k=1))
        if len(rows):
            yield rows + start, columns + start


def assign_splits(pictures: pd.DataFrame, shares: SplitShares, seed: int) -> tuple[pd.Series, str]:
    """The split of each row of `pictures` (columns `image_id`, `label`, `split` or None, `group`), and its origin.

    Given splits are kept; a missing val or test is cut from train.
    """
    wanted = {"test": shares.test, "val": shares.val}
    given = set(pictures["split"].dropna())
    lacking = {name: share for name, share in wanted.items() if name not in given}
    if not lacking:
        return pictures["split"], "as given"
    if not given:
        return _draw(pictures, wanted, seed), "drawn"
    split = pictures["split"].copy()
    drawn = _draw(pictures[split == "train"], lacking, seed)
    split.loc[drawn.index] = drawn
    return split, f"as given, {' and '.join(lacking)} cut from train"


def limit_per_class(pictures: pd.DataFrame, limits: ImagesPerClass, seed: int) -> pd.Series:
    """Whether each row stays; a higher limit keeps all that a lower one kept."""
    rank = pictures["image_id"].map(lambda image_id: derive_seed(seed, "limit", image_id))
    position = rank.groupby([pictures["split"], pictures["label"]]).rank(method="first")
    allowed = pictures["split"].map(lambda split: getattr(limits, split) or np.inf)
    return position <= allowed


def _draw(pictures: pd.DataFrame, shares: dict[str, float], seed: int) -> pd.Series:
    """Whole groups go to each split of `shares` until it has its share of the class; the rest is train.

    A group that is larger than what a split still lacks goes there only when no smaller one is left.
    """
    split = pd.Series("train", index=pictures.index)
    leading = pictures.groupby("group")["label"].transform(lambda labels: labels.mode().iloc[0])
    for label, of_class in pictures.groupby(leading):
        groups = sorted(of_class["group"].unique())
        if len(groups) <= len(shares):
            raise DatasetFormatError(
                f"class {label!r} has {len(groups)} distinct pictures, too few for {len(shares) + 1} splits; "
                "add pictures, provide split folders (train, val, test), remove the class, or lower "
                "ingestion.near_duplicate_distance if different pictures were taken for copies."
            )
        order = np.random.default_rng(derive_seed(seed, "splits", str(label))).permutation(len(groups))
        members = of_class.groupby("group").indices
        waiting = [of_class.index[members[groups[position]]] for position in order]
        for number, (name, share) in enumerate(shares.items()):
            wanted, taken = max(1, round(share * len(of_class))), 0
            still_needed = len(shares) - number
            while taken < wanted and len(waiting) > still_needed:
                group = _take(waiting, wanted - taken)
                if taken and len(group) > wanted - taken:
                    waiting.append(group)
                    break
                split.loc[group] = name
                taken += len(group)
    return split


def _take(waiting: list[pd.Index], most: int) -> pd.Index:
    """Removes and returns the last group of at most `most` members, else the smallest."""
    place = next((k for k in reversed(range(len(waiting))) if len(waiting[k]) <= most), None)
    if place is None:
        place = min(range(len(waiting)), key=lambda k: len(waiting[k]))
    return waiting.pop(place)
