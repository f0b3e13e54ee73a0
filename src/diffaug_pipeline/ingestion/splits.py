"""Train, val and test: kept where the dataset has them, else drawn per class with look-alikes kept together."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.image_set import target_of
from diffaug_pipeline.ingestion.options import SplitLimits, SplitShares
from diffaug_pipeline.seeding import derive_seed

DISTANCES_PER_BLOCK = 10_000_000
DRAWS = 10
"""How often a draw that leaves a split without a class is repeated."""


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
    """The split of each row of `pictures`, and its origin.

    Columns are `image_id`, `label` or `boxes`, `split` or None, and `group`. Given splits are kept; a missing val or
    test is cut from train.
    """
    draw = {"label": _draw, "boxes": _draw_objects}[target_of(pictures)]
    wanted = {"test": shares.test, "val": shares.val}
    given = set(pictures["split"].dropna())
    lacking = {name: share for name, share in wanted.items() if name not in given}
    if not lacking:
        return pictures["split"], "as given"
    if not given:
        return draw(pictures, wanted, seed), "drawn"
    split = pictures["split"].copy()
    drawn = draw(pictures[split == "train"], lacking, seed)
    split.loc[drawn.index] = drawn
    return split, f"as given, {' and '.join(lacking)} cut from train"


def within_limits(pictures: pd.DataFrame, limits: SplitLimits, seed: int) -> pd.Series:
    """Whether each row stays; limits are per label where there is one. A higher one keeps all that a lower one kept."""
    rank = pictures["image_id"].map(lambda image_id: derive_seed(seed, "limit", image_id))
    limited = [pictures[column] for column in ("split", "label") if column in pictures]
    position = rank.groupby(limited).rank(method="first")
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


def _draw_objects(pictures: pd.DataFrame, shares: dict[str, float], seed: int) -> pd.Series:
    """Like `_draw`, for pictures with objects of several classes; the best of a few draws.

    Iterative stratification (Sechidis et al. 2011): the rarest class is dealt first, each group to the split that still
    lacks most of it. A split wants at least one picture of each class.
    """
    names, group_of = np.unique(pictures["group"], return_inverse=True)
    classes = [set(Boxes.of(records).counted().labels) for records in pictures["boxes"]]
    column = {label: number for number, label in enumerate(sorted(set().union(*classes)))}
    counts = np.zeros((len(names), len(column)))
    for group, labels in zip(group_of, classes, strict=True):
        counts[group, [column[label] for label in labels]] += 1
    sizes = np.bincount(group_of)
    splits = ["train", *shares]
    best, most = np.zeros(len(names), int), -1
    for attempt in range(DRAWS):
        dealt = _deal(counts, sizes, list(shares.values()), np.random.default_rng(derive_seed(seed, "splits", attempt)))
        present = sum(
            counts[dealt == split, label].any() for split, label in product(range(len(splits)), column.values())
        )
        if present > most:
            best, most = dealt, present
        if most == len(splits) * len(column):
            break
    return pd.Series(np.array(splits)[best[group_of]], index=pictures.index)


def _deal(counts: np.ndarray, sizes: np.ndarray, shares: list[float], rng: np.random.Generator) -> np.ndarray:
    """(G,) split numbers, 0 the rest, from (G, C) pictures with a class in each group and (G,) pictures in it."""
    shuffled = rng.permutation(len(sizes))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]  # a large group late would overfill its split
    counts, sizes = counts[order], sizes[order]
    lacking = np.vstack([_wanted(total, shares) for total in (*counts.sum(0), sizes.sum())])
    dealt = np.full(len(sizes), -1)
    while (waiting := dealt < 0).any():
        left = (counts[waiting] > 0).sum(0)
        label = np.where(left > 0, left, np.inf).argmin() if left.any() else len(left)
        chosen = waiting & (counts[:, label] > 0) if label < len(left) else waiting
        for group in np.flatnonzero(chosen):
            dealt[group] = np.lexsort((-lacking[-1], -lacking[label]))[0]
            lacking[:-1, dealt[group]] -= counts[group]
            lacking[-1, dealt[group]] -= sizes[group]
    split = np.empty(len(sizes), int)
    split[order] = dealt
    return split


def _wanted(total: float, shares: list[float]) -> np.ndarray:
    """Pictures each split should get, the rest first."""
    parts = np.maximum(1, np.array(shares) * total)
    return np.array([max(1, total - parts.sum()), *parts])
