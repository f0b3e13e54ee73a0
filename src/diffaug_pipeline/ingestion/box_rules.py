"""What happens to a bad box: one stated rule per kind, applied once the size of the picture is known."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffaug_pipeline.formats.files import printable
from diffaug_pipeline.formats.source import Annotations
from diffaug_pipeline.imaging.boxes import Boxes, clip, ious
from diffaug_pipeline.ingestion.image_file import Picture, Refusal
from diffaug_pipeline.ingestion.options import DetectionIngestionOptions

ROUNDING_PX = 0.01
"""What conversions between formats lose; neither counted as leaving the picture nor as too small."""
EXAMPLES_NAMED = 50
MAX_BOXES = 10_000
"""Of one picture; more are no annotation by anybody."""
BOXES_PER_BLOCK = 256


@dataclass(frozen=True)
class Problem:
    """One box that a rule was applied to."""

    kind: str
    image_id: str
    number: int
    """Its place among the boxes of the image, from 1."""
    label: str
    xyxy: tuple[float, ...]
    """As the dataset states it."""

    def __str__(self) -> str:
        return f"{self.image_id}, box {self.number}: {self.label} [{', '.join(f'{value:.6g}' for value in self.xyxy)}]"


@dataclass(frozen=True)
class CheckedBoxes:
    """What is left of an image's boxes, or why the image cannot be used."""

    boxes: Boxes
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    refusal: Refusal | None = None


def rules(options: DetectionIngestionOptions) -> dict[str, str]:
    """What is done with each kind of box."""
    return {
        "unreadable": "coordinates missing or no finite numbers: dropped",
        "unknown_class": "of no class that the dataset names: dropped",
        "negative_size": "its right edge lies left of its left one, or its bottom above its top: dropped",
        "outside": "completely outside the picture: dropped",
        "too_small": f"empty, or less than {options.min_box_px:g} px wide or high inside the picture: dropped",
        "duplicate": f"IoU of {options.duplicate_iou:g} or more with a box of its class: the first stays",
        "partly_outside": "reaches beyond the picture: clipped at its borders",
        "ignored": "a crowd or a difficult object: kept, neither trained on nor counted",
    }


def check_boxes(
    image_id: str, annotations: Annotations, picture: Picture, options: DetectionIngestionOptions
) -> CheckedBoxes:
    """The usable boxes in pixels of the upright picture.

    An image whose boxes were all bad is refused, since its objects would be unlabelled; so is one whose annotations
    are of a picture of another shape.
    """
    if len(annotations.boxes) > MAX_BOXES:
        reason = f"{len(annotations.boxes):,} boxes, and more than {MAX_BOXES:,} are not read of one picture"
        return CheckedBoxes(Boxes.of([]), (), refusal=Refusal(reason))
    stated = Boxes(
        labels=np.array([printable(box.label) for box in annotations.boxes], dtype=object),
        xyxy=np.array([box.xyxy for box in annotations.boxes], dtype=np.float64).reshape(-1, 4),
        ignored=np.array([box.ignored for box in annotations.boxes], dtype=bool),
    )
    placed, note = place_upright(stated.xyxy, annotations, picture)
    if placed is None:
        return CheckedBoxes(stated.where(np.zeros(len(stated), bool)), (), refusal=Refusal(note))
    size_px = picture.width_px, picture.height_px
    known = np.array([box.known_class for box in annotations.boxes], dtype=bool)
    kinds = _reasons_to_drop(placed, known, size_px, options.min_box_px)
    boxes = stated.placed_at(clip(np.nan_to_num(placed), size_px))
    _mark_duplicates(kinds, boxes, options.duplicate_iou)
    kept = kinds == ""
    clipped = kept & (np.abs(boxes.xyxy - np.nan_to_num(placed)).max(1, initial=0) > ROUNDING_PX)
    marks = [(kinds[k], k) for k in np.flatnonzero(~kept)]
    marks += [("partly_outside", k) for k in np.flatnonzero(clipped)]
    marks += [("ignored", k) for k in np.flatnonzero(kept & boxes.ignored)]
    return CheckedBoxes(
        boxes=boxes.where(kept),
        problems=tuple(
            Problem(str(kind), image_id, int(k) + 1, stated.labels[k], annotations.boxes[k].xyxy) for kind, k in marks
        ),
        notes=annotations.notes + ((note,) if note else ()),
        refusal=_refusal_if_unlabelled(stated, kept, kinds),
    )


def place_upright(xyxy: np.ndarray, annotations: Annotations, picture: Picture) -> tuple[np.ndarray | None, str]:
    """(N, 4) boxes in pixels of the upright picture and a note on what was done; None and the reason if they fit none.

    The recorded size tells which picture the boxes were drawn on: the upright one, the one as stored before the EXIF
    rotation, or one of the same shape in another size.
    """
    upright = picture.width_px, picture.height_px
    if annotations.unit == "share":
        return xyxy * np.tile(upright, 2), ""
    recorded = annotations.recorded_size_px
    if recorded is None or recorded == upright:
        return xyxy, ""
    stored = upright[::-1] if picture.orientation >= 5 else upright
    if recorded == stored:
        return turn_upright(xyxy, stored, picture.orientation), "boxes rotated as EXIF says"
    if _same_shape(recorded, upright):
        return xyxy * np.tile(np.divide(upright, recorded), 2), "boxes scaled from the recorded size"
    return None, (
        f"annotated on {recorded[0]}x{recorded[1]} px, but the picture has {upright[0]}x{upright[1]} px, another shape"
    )


def turn_upright(xyxy: np.ndarray, stored_px: tuple[int, int], orientation: int) -> np.ndarray:
    """(N, 4) boxes on the stored picture of (width, height) where EXIF orientations 5 to 8 put them.

    >>> turn_upright(np.array([[0, 0, 10, 5]]), (40, 20), 6).tolist()
    [[15, 0, 20, 10]]
    """
    left, top, right, bottom = xyxy.T
    width, height = stored_px
    turned = {
        5: (top, left, bottom, right),
        6: (height - bottom, left, height - top, right),
        7: (height - bottom, width - right, height - top, width - left),
        8: (top, width - right, bottom, width - left),
    }
    return np.stack(turned[orientation], axis=1)


def summarise(problems: Iterable[Problem], options: DetectionIngestionOptions) -> dict[str, Any]:
    """Count, rule and first examples of each kind that occurred."""
    stated = rules(options)
    found: dict[str, list[Problem]] = {}
    for problem in problems:
        found.setdefault(problem.kind, []).append(problem)
    return {
        kind: {
            "count": len(found[kind]),
            "rule": stated[kind],
            "examples": [str(problem) for problem in found[kind][:EXAMPLES_NAMED]],
        }
        for kind in stated
        if kind in found
    }


def _same_shape(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether the aspects differ by no more than rounding a side to a whole pixel explains."""
    return abs(first[0] * second[1] - first[1] * second[0]) <= max(*first, *second)


def _reasons_to_drop(xyxy: np.ndarray, known: np.ndarray, size_px: tuple[int, int], min_box_px: float) -> np.ndarray:
    """(N,) kind of problem, empty for a box that stays."""
    low, high = xyxy[:, :2], xyxy[:, 2:]
    inside = clip(xyxy, size_px)
    sides = inside[:, 2:] - inside[:, :2]
    # The order matters: the first that applies names the problem.
    conditions = {
        "unreadable": ~np.isfinite(xyxy).all(1),
        "unknown_class": ~known,
        "negative_size": (high < low).any(1),
        "outside": ((high <= 0) | (low >= size_px)).any(1) & (high > low).all(1),
        "too_small": ((sides <= 0) | (sides < min_box_px - ROUNDING_PX)).any(1),
    }
    return np.select(list(conditions.values()), list(conditions), default="").astype(object)


def _mark_duplicates(kinds: np.ndarray, boxes: Boxes, duplicate_iou: float) -> None:
    """Marks boxes that repeat an earlier one; one that counts is earlier than one that is ignored."""
    usable = np.flatnonzero(kinds == "")
    order = usable[np.argsort(boxes.ignored[usable], kind="stable")]
    kept = np.zeros(len(boxes), bool)
    for start in range(0, len(order), BOXES_PER_BLOCK):
        block = order[start : start + BOXES_PER_BLOCK]
        close = ious(boxes.xyxy[block], boxes.xyxy) >= duplicate_iou
        for k, others in zip(block, close, strict=True):
            if (boxes.labels[others & kept] == boxes.labels[k]).any():
                kinds[k] = "duplicate"
            else:
                kept[k] = True


def _refusal_if_unlabelled(stated: Boxes, kept: np.ndarray, kinds: np.ndarray) -> Refusal | None:
    counted = ~stated.ignored if (~stated.ignored).any() else np.ones(len(stated), bool)
    if not counted.any() or (kept & counted).any():
        return None
    reasons = ", ".join(sorted(set(kinds[counted])))
    return Refusal(f"none of its {counted.sum()} boxes is usable ({reasons}); its objects would be unlabelled")
