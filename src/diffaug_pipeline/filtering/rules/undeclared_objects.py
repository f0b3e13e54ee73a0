"""Scenes with objects of which detectors are sure and which no box declares.

Score: `undeclared_objects`, the number of confident detections that no box, ignored ones included, explains.
"""

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence, confident
from diffaug_pipeline.filtering.options import DetectionFilteringOptions, UndeclaredRule
from diffaug_pipeline.imaging.boxes import areas, intersections


def calibrate(_train: Evidence, _options: DetectionFilteringOptions) -> dict[str, int]:
    """No such object is allowed: the detectors have seen the real training images, which set nothing."""
    return {"undeclared_objects": 0}


def score(evidence: Evidence, _thresholds: dict[str, int], options: DetectionFilteringOptions) -> pd.DataFrame:
    """The counts."""
    return pd.DataFrame({"undeclared_objects": _count(evidence, options.undeclared_objects)})


def passes(scored: pd.DataFrame, thresholds: dict[str, int]) -> pd.Series:
    """Not scenes with more such objects than are allowed."""
    return scored["undeclared_objects"] <= thresholds["undeclared_objects"]


def _count(evidence: Evidence, rule: UndeclaredRule) -> np.ndarray:
    counts = []
    for image_id, boxes in zip(evidence.table["image_id"], evidence.images.boxes, strict=True):
        found = confident(evidence.detections.get(image_id, ()), rule.confidence)
        covered = intersections(found.xyxy, boxes.xyxy) / areas(found.xyxy).clip(min=1e-9)[:, None]
        counts.append(int((covered.max(1, initial=0.0) < rule.covered).sum()))
    return np.array(counts, dtype=int)
