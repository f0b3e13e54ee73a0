"""Average precision as COCO defines it, of all test images and of any resample of them.

Which detection finds which object never depends on the resample, so matching is done once; what is left for each
resample is to add up how often each detection occurs. Definitions: Lin et al. 2014 and the reference implementation,
pycocotools, with which the tests compare.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from diffaug_pipeline.imaging.boxes import Boxes, areas

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALL_THRESHOLDS = np.linspace(0, 1, 101)
MAX_DETECTIONS = 100
"""Per image and class; less confident ones do not count."""
EVERY_AREA_PX = (0.0, 1e10)
ELEMENTS_PER_BLOCK = 100_000
"""Detections times resamples in one piece of work: about what the cache of a core holds."""
FEW_COLUMNS = 100


@dataclass(frozen=True, eq=False)
class Truth:
    """The G true boxes of N images, one at least."""

    class_names: list[str]
    images: int
    """N"""
    image: np.ndarray
    """(G,) int: position of the image"""
    label: np.ndarray
    """(G,) int: position in `class_names`"""
    xyxy: np.ndarray
    """(G, 4) pixels"""
    ignored: np.ndarray
    """(G,) bool: finding it is neither right nor wrong"""

    @classmethod
    def of(cls, boxes: Sequence[Boxes], class_names: Sequence[str]) -> "Truth":
        """From the boxes of each image; those of no class in `class_names` are left out."""
        image = np.repeat(np.arange(len(boxes)), [len(of_image) for of_image in boxes])
        label = _class_numbers([name for of_image in boxes for name in of_image.labels], class_names)
        known = label >= 0
        return cls(
            class_names=list(class_names),
            images=len(boxes),
            image=image[known],
            label=label[known],
            xyxy=np.concatenate([of_image.xyxy for of_image in boxes])[known],
            ignored=np.concatenate([of_image.ignored for of_image in boxes])[known],
        )


@dataclass(frozen=True, eq=False)
class Detections:
    """D detections on some images, most confident first; equally confident ones in the order they came in."""

    image: np.ndarray
    """(D,) int: position of the image"""
    label: np.ndarray
    """(D,) int: position in the class names"""
    xyxy: np.ndarray
    """(D, 4) pixels"""
    confidence: np.ndarray
    """(D,) in [0, 1]"""

    @classmethod
    def of(cls, records: Iterable[Iterable[Mapping[str, Any]]], class_names: Sequence[str]) -> "Detections":
        """From each image's records `{"label", "xyxy", "confidence"}`; those of no class in `class_names` are dropped.

        Per image and class the `MAX_DETECTIONS` most confident ones count.
        """
        rows = [(image, row) for image, of_image in enumerate(records) for row in of_image]
        image = np.array([image for image, _ in rows], dtype=int)
        label = _class_numbers([row["label"] for _, row in rows], class_names)
        xyxy = np.array([row["xyxy"] for _, row in rows], dtype=float).reshape(-1, 4)
        confidence = np.array([row["confidence"] for _, row in rows], dtype=float)
        order = np.argsort(-confidence, kind="stable")
        order = order[label[order] >= 0]
        order = order[_rank_in_group(image[order] * len(class_names) + label[order]) < MAX_DETECTIONS]
        return cls(image=image[order], label=label[order], xyxy=xyxy[order], confidence=confidence[order])


@dataclass(frozen=True, eq=False)
class Matches:
    """What became of D detections on N images of C classes, at each of the T `IOU_THRESHOLDS`."""

    image: np.ndarray
    """(D,) int: position of the image; most confident detection first"""
    label: np.ndarray
    """(D,) int: number of the class"""
    hits: np.ndarray
    """(T, D) bool: found an object that counts"""
    ignored: np.ndarray
    """(T, D) bool: neither right nor wrong"""
    objects: np.ndarray
    """(C, N) int: objects to be found"""

    def average_precisions(self, counts: np.ndarray) -> np.ndarray:
        """(B, C, T) average precision on B resamples, given how often each image occurs in them: (B, N) `counts`.

        NaN for a class that a resample has no object of. With counts of one: that of all images. Of a repeated image
        the first of equally confident detections counts as often as the image before the second does.
        """
        by_image = np.ascontiguousarray(counts.T, dtype=float)
        return np.stack([self._of_class(number, by_image) for number in range(len(self.objects))]).transpose(2, 0, 1)

    def recalls(self) -> np.ndarray:
        """(C, T) share of the objects that were found on all images; NaN for a class without objects."""
        objects = self.objects.sum(1)
        found = np.stack([np.bincount(self.label[of_threshold], minlength=len(objects)) for of_threshold in self.hits])
        return np.divide(found.T, objects[:, None], out=np.full(found.T.shape, np.nan), where=objects[:, None] > 0)

    def _of_class(self, number: int, by_image: np.ndarray) -> np.ndarray:
        """(T, B) average precision of one class; (N, B) `by_image` counts.

        Precision only matters where an object is found: after a wrong detection it is lower than before it.
        """
        objects = self.objects[number] @ by_image
        rows = np.flatnonzero(self.label == number)
        found = np.flatnonzero(self.hits[:, rows].any(0))
        precision = np.tile(np.where(objects > 0, 0.0, np.nan), (len(self.hits), 1))
        if not len(found):
            return precision
        rows = rows[: found[-1] + 1]
        seen = _Cumulated(self.image[rows], found, self.objects.shape[1])
        at_thresholds = {
            threshold: _AtThreshold(
                found=np.flatnonzero(hits),
                image=self.image[rows[found[hits]]],
                ignored=_Cumulated(self.image[rows], found[hits], self.objects.shape[1], ignored[rows])
                if ignored[rows].any()
                else None,
            )
            for threshold, (hits, ignored) in enumerate(zip(self.hits[:, rows[found]], self.ignored, strict=True))
            if hits.any()
        }
        size = max(1, ELEMENTS_PER_BLOCK // len(found))
        for start in range(0, by_image.shape[1], size):
            block, columns = np.ascontiguousarray(by_image[:, start : start + size]), objects[start : start + size]
            detections = seen.on(block)
            for threshold, place in at_thresholds.items():
                precision[threshold, start : start + size] += place.average_precision(block, detections, columns)
        return precision


class _Cumulated:
    """How many detections come up to each of some positions in the order of confidence, on resamples."""

    def __init__(self, image: np.ndarray, positions: np.ndarray, images: int, counted: np.ndarray | None = None):
        step = np.searchsorted(positions, np.arange(len(image)))
        inside = step < len(positions) if counted is None else counted & (step < len(positions))
        shape = (len(positions), images)
        self._steps = csr_array((np.ones(inside.sum()), (step[inside], image[inside])), shape=shape)

    def on(self, by_image: np.ndarray) -> np.ndarray:
        """(K, B) cumulated counts at the K positions, from (N, B) counts."""
        return _accumulate(np.add, self._steps @ by_image)


@dataclass(frozen=True, eq=False)
class _AtThreshold:
    """The K detections of a class that found an object at one IoU threshold."""

    found: np.ndarray
    """(K,) int: which of the detections that did so at any threshold"""
    image: np.ndarray
    """(K,) int"""
    ignored: _Cumulated | None
    """Those up to each that do not count; None where all do."""

    def average_precision(self, by_image: np.ndarray, detections: np.ndarray, objects: np.ndarray) -> np.ndarray:
        """(B,) mean of the precision at 101 recalls.

        It is the best one at this recall or beyond; a step up in recall stands for as many of the 101 as it reaches.
        """
        right = _accumulate(np.add, by_image[self.image])
        counted = detections[self.found]
        if self.ignored is not None:
            counted -= self.ignored.on(by_image)
        best = _accumulate(np.maximum, (right / np.maximum(counted, 1))[::-1])[::-1]
        reached = _recalls_reached(right / np.maximum(objects, 1))
        total = best[0] * reached[0] + np.einsum("kb,kb->b", best[1:], np.diff(reached, axis=0))
        return total / len(RECALL_THRESHOLDS)


def _accumulate(operation: np.ufunc, rows: np.ndarray) -> np.ndarray:
    """`operation.accumulate(rows)` over the first axis of (K, B); may overwrite `rows`.

    NumPy goes down one column after the other, which takes five times as long where there are many.
    """
    if rows.shape[1] < FEW_COLUMNS:
        return operation.accumulate(rows)
    for position in range(1, len(rows)):
        operation(rows[position - 1], rows[position], out=rows[position])
    return rows


def _recalls_reached(recall: np.ndarray) -> np.ndarray:
    """How many of the 101 thresholds are not above each recall, in [0, 1]; as floats compare, like pycocotools.

    >>> _recalls_reached(np.array([0.0, 0.5, 0.57, 0.575, 1.0])).tolist()
    [1.0, 51.0, 57.0, 58.0, 101.0]
    """
    nearest = np.rint(100 * recall)
    return nearest + (recall >= RECALL_THRESHOLDS[nearest.astype(np.intp)])


def match(detections: Detections, truth: Truth, area_px: tuple[float, float] = EVERY_AREA_PX) -> Matches:
    """COCO's greedy matching: the most confident detection takes the object of its class that it overlaps most.

    Objects whose area in square pixels is not within `area_px` are ignored, and so are detections outside it that
    find nothing. A box ignored from the start may be found any number of times, every other object once.
    """
    ignored = truth.ignored | _outside(truth.xyxy, area_px)
    detection, object_, iou = _overlapping(detections, truth)
    # what counts before what does not, then the largest overlap, then as pycocotools breaks ties
    order = np.lexsort((-object_, -iou, ignored[object_], detection))
    detection, object_, iou = detection[order], object_[order], iou[order]
    owners = np.stack(
        [
            _assign(detection[iou >= least], object_[iou >= least], truth, len(detections.image))
            for least in IOU_THRESHOLDS
        ]
    )
    counts = np.append(~ignored, False)  # the last is for -1, nothing found
    objects = np.zeros((len(truth.class_names), truth.images), dtype=int)
    np.add.at(objects, (truth.label[~ignored], truth.image[~ignored]), 1)
    return Matches(
        image=detections.image,
        label=detections.label,
        hits=counts[owners],
        ignored=np.where(owners >= 0, ~counts[owners], _outside(detections.xyxy, area_px)),
        objects=objects,
    )


def _assign(detection: np.ndarray, object_: np.ndarray, truth: Truth, detections: int) -> np.ndarray:
    """(D,) the object each detection takes, -1 for none; candidates in order of precedence."""
    owner, taken, served = np.full(detections, -1), set(), -1
    shareable = set(np.flatnonzero(truth.ignored).tolist())
    for candidate, wanted in zip(detection.tolist(), object_.tolist(), strict=True):
        if candidate == served or wanted in taken:
            continue
        owner[candidate], served = wanted, candidate
        if wanted not in shareable:
            taken.add(wanted)
    return owner


def _overlapping(detections: Detections, truth: Truth) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(P,) detections, (P,) objects of the same image and class, and the (P,) overlaps that reach the lowest threshold.

    The overlap with an ignored box is the share of the detection that lies inside it.
    """
    detection, object_ = _same_image_and_class(detections, truth)
    first, second = detections.xyxy[detection], truth.xyxy[object_]
    shared = (np.minimum(first[:, 2:], second[:, 2:]) - np.maximum(first[:, :2], second[:, :2])).clip(0).prod(1)
    union = areas(first) + np.where(truth.ignored[object_], 0, areas(second) - shared)
    iou = np.divide(shared, union, out=np.zeros(len(union)), where=union > 0)
    near = iou >= IOU_THRESHOLDS[0]
    return detection[near], object_[near], iou[near]


def _same_image_and_class(detections: Detections, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    classes = len(truth.class_names)
    groups = truth.image * classes + truth.label
    by_group = np.argsort(groups, kind="stable")
    wanted = detections.image * classes + detections.label
    start, end = (np.searchsorted(groups[by_group], wanted, side=side) for side in ("left", "right"))
    size = end - start
    detection = np.repeat(np.arange(len(wanted)), size)
    within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    return detection, by_group[np.repeat(start, size) + within]


def _outside(xyxy: np.ndarray, area_px: tuple[float, float]) -> np.ndarray:
    least, most = area_px
    return (areas(xyxy) < least) | (areas(xyxy) > most)


def _rank_in_group(groups: np.ndarray) -> np.ndarray:
    """(D,) how many of the same group come before.

    >>> _rank_in_group(np.array([7, 3, 7, 7, 3])).tolist()
    [0, 0, 1, 2, 1]
    """
    order = np.argsort(groups, kind="stable")
    start = np.searchsorted(groups[order], groups[order], side="left")
    rank = np.empty(len(groups), dtype=int)
    rank[order] = np.arange(len(groups)) - start
    return rank


def _class_numbers(labels: Iterable[str], class_names: Sequence[str]) -> np.ndarray:
    number = {name: position for position, name in enumerate(class_names)}
    return np.array([number.get(label, -1) for label in labels], dtype=int)


def mean_average_precision(precisions: np.ndarray) -> np.ndarray:
    """(B,) means of (B, C, T) average precisions over IoU thresholds and the classes that have objects; else NaN."""
    known = ~np.isnan(precisions[:, :, 0])
    sums = np.where(known[:, :, None], precisions, 0).mean(2).sum(1)
    return np.divide(sums, known.sum(1), out=np.full(len(sums), np.nan), where=known.any(1))


def map_on(
    records: Iterable[Iterable[Mapping[str, Any]]], truth_boxes: Sequence[Boxes], class_names: Sequence[str]
) -> dict[str, float]:
    """`map_50_95` and `map_50`, in [0, 1], of the detections `{"label", "xyxy", "confidence"}` on each image.

    Raises ValueError if no image has a box that counts.

    >>> box = {"label": "bag", "xyxy": [0, 0, 10, 10]}
    >>> map_on([[box | {"confidence": 0.9}]], [Boxes.of([box | {"ignored": False}])], ["bag"])
    {'map_50_95': 1.0, 'map_50': 1.0}
    """
    matches = match(Detections.of(records, class_names), Truth.of(truth_boxes, class_names))
    if not matches.objects.any():
        raise ValueError(
            f"none of the {len(truth_boxes)} images has a box of {', '.join(class_names)} that counts; "
            "without objects there is no average precision."
        )
    precisions = matches.average_precisions(np.ones((1, len(truth_boxes))))
    return {
        "map_50_95": float(mean_average_precision(precisions)[0]),
        "map_50": float(mean_average_precision(precisions[:, :, :1])[0]),
    }
