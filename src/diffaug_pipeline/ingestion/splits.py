"""Train, val and test: kept where the dataset has them, else drawn per class with look-alikes kept together."""

from collections.abc import Iterator

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

    Columns are `sha256`, `label` or `boxes`, `split` or None, and `group`. Given splits are kept; a missing val or test
    is cut from train. Raises `DatasetFormatError` where a label has too few groups for all splits.
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


def within_limits(pictures: pd.DataFrame, limits: SplitLimits, seed: int) -> pd.Series:
    """Whether each row stays; limits are per label where there is one. A higher one keeps all that a lower one kept."""
    rank = pictures["image_id"].map(lambda image_id: derive_seed(seed, "limit", image_id))
    limited = [pictures[column] for column in ("split", "label") if column in pictures]
    position = rank.groupby(limited).rank(method="first")
    allowed = pictures["split"].map(lambda split: getattr(limits, split) or np.inf)
    return position <= allowed


def _draw(pictures: pd.DataFrame, shares: dict[str, float], seed: int) -> pd.Series:
    """Whole groups go to each split of `shares` until it has its share of every class; the rest is train.

    Groups come in the order of a hash of their content, so that pictures added to a dataset leave most of the others
    where they were: each moves at most one picture (or group) over each border, from test to val or from val to train.
    """
    groups, group_of = np.unique(pictures["group"], return_inverse=True)
    counts = _pictures_with_class(pictures, group_of, len(groups))
    if "label" in pictures:
        _refuse_small_classes(pictures, len(shares))
    sizes = np.bincount(group_of)
    best, most = np.zeros(len(groups), int), -1
    for attempt in range(DRAWS):
        ranks = pictures["sha256"].map(lambda sha256, attempt=attempt: derive_seed(seed, "splits", attempt, sha256))
        order = np.argsort(ranks.groupby(group_of).min().to_numpy(), kind="stable")
        dealt = _deal(counts, sizes, list(shares.values()), order)
        present = sum((counts[dealt == split] > 0).any(0).sum() for split in range(len(shares) + 1))
        if present > most:
            best, most = dealt, present
        if most == (len(shares) + 1) * counts.shape[1]:
            break
    return pd.Series(np.array(["train", *shares])[best[group_of]], index=pictures.index)


def _pictures_with_class(pictures: pd.DataFrame, group_of: np.ndarray, groups: int) -> np.ndarray:
    """(G, C) pictures that show each class, in each group."""
    if target_of(pictures) == "label":
        classes = [{label} for label in pictures["label"]]
    else:
        classes = [set(Boxes.of(records).counted().labels) for records in pictures["boxes"]]
    column = {label: number for number, label in enumerate(sorted(set().union(*classes)))}
    counts = np.zeros((groups, len(column)), int)
    for group, labels in zip(group_of, classes, strict=True):
        counts[group, [column[label] for label in labels]] += 1
    return counts


def _refuse_small_classes(pictures: pd.DataFrame, drawn: int) -> None:
    for label, groups in pictures.groupby("label")["group"].nunique().items():
        if groups <= drawn:
            raise DatasetFormatError(
                f"class {label!r} has {groups} distinct pictures, too few for {drawn + 1} splits; "
                "add pictures, provide split folders (train, val, test), remove the class, or lower "
                "ingestion.near_duplicate_distance if different pictures were taken for copies."
            )


def _deal(counts: np.ndarray, sizes: np.ndarray, shares: list[float], order: np.ndarray) -> np.ndarray:
    """(G,) split numbers, 0 the rest, from (G, C) pictures with a class, (G,) pictures, and (G,) groups in order.

    Stratification by rounds, one for each class, the rarest first, as in Sechidis et al. (2011); there groups go to the
    split that lacks most, here in order to one split after the other, which keeps most of them where they are when
    others come. The last round is for what shows no class.
    """
    of_round = np.column_stack([counts, sizes])
    dealt = np.full(len(sizes), -1)
    for column in [*np.argsort(counts.sum(0), kind="stable"), -1]:
        pictures = of_round[:, column]
        waiting = [group for group in order[::-1] if dealt[group] < 0 and pictures[group]]
        for split, share in enumerate(shares, start=1):
            lacking = max(1, round(share * pictures.sum())) - pictures[dealt == split].sum()
            reserved = _reserve(pictures, dealt, range(split + 1, len(shares) + 1), len(waiting))
            for group in _take(waiting, sizes, lacking, len(waiting) - reserved):
                dealt[group] = split
        dealt[waiting] = 0
    return dealt


def _reserve(pictures: np.ndarray, dealt: np.ndarray, later: range, waiting: int) -> int:
    """How many of the groups `waiting` stay for splits that have nothing of a class yet: train first."""
    empty = [not pictures[dealt == split].any() for split in (0, *later)]
    return min(sum(empty), max(empty[0], waiting - 1))


def _take(waiting: list[int], sizes: np.ndarray, lacking: int, most_groups: int) -> list[int]:
    """Removes and returns what fills a split: from the end, what is not too large for it, if need be one that is."""
    taken: list[int] = []
    while lacking > 0 and len(taken) < most_groups:
        place = next((place for place in reversed(range(len(waiting))) if sizes[waiting[place]] <= lacking), None)
        if place is None and taken:
            break
        if place is None:
            place = min(range(len(waiting)), key=lambda place: sizes[waiting[place]])
        group = waiting.pop(place)
        taken.append(group)
        lacking -= sizes[group]
    return taken
