"""What detectors that never saw a scene's source make of its boxes.

Detections are tables as in `detection.prediction`, without `seed`: `image_id`, `boxes` (records with `label`, `xyxy`,
`confidence`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.options import AgreementRule, UndeclaredRule
from diffaug_pipeline.imaging.boxes import Boxes, areas, intersections, ious
from diffaug_pipeline.imaging.image_set import ImageSet


def confirmed_ious(
    images: ImageSet, table: pd.DataFrame, detections: Mapping[str, Iterable[dict[str, Any]]], rule: AgreementRule
) -> np.ndarray:
    """(N,) best overlap of each box in `table` with a detection that counts; 0 where there is none."""
    best = []
    for image_id, rows in table.groupby("image_id", sort=False):
        boxes = images.boxes_of(image_id).where(rows["box"].to_numpy())
        found = _confident(detections.get(image_id, ()), rule.confidence)
        overlap = ious(boxes.xyxy, found.xyxy)
        if rule.same_class:
            overlap = overlap * (boxes.labels[:, None] == found.labels[None])
        best.append(overlap.max(1, initial=0.0))
    return np.concatenate(best) if best else np.zeros(0)


def count_undeclared(
    images: ImageSet, detections: Mapping[str, Iterable[dict[str, Any]]], rule: UndeclaredRule
) -> np.ndarray:
    """(N,) confident detections per image that no box, ignored ones included, explains."""
    counts = []
    for image_id, boxes in zip(images.index["image_id"], images.boxes, strict=True):
        found = _confident(detections.get(image_id, ()), rule.confidence)
        covered = intersections(found.xyxy, boxes.xyxy) / areas(found.xyxy).clip(min=1e-9)[:, None]
        counts.append(int((covered.max(1, initial=0.0) < rule.covered).sum()))
    return np.array(counts, dtype=int)


def _confident(records: Iterable[dict[str, Any]], confidence: float) -> Boxes:
    return Boxes.of(record | {"ignored": False} for record in records if record["confidence"] >= confidence)
