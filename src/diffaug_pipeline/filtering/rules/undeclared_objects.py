"""Scenes with objects of which detectors are sure and which no box declares.

Score: `undeclared_objects`, the number of confident detections that no box, ignored ones included, explains.
"""

from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence, confident
from diffaug_pipeline.filtering.options import DetectionFilteringOptions, UndeclaredRule
from diffaug_pipeline.imaging.boxes import areas, intersections


def calibrate(_train: Evidence, _options: DetectionFilteringOptions) -> dict[str, Any]:
    """Nothing: the detectors have seen the real training images."""
    return {}


def judge(evidence: Evidence, _thresholds: dict[str, Any], options: DetectionFilteringOptions) -> pd.DataFrame:
    """Fails scenes with any such object."""
    counts = _count(evidence, options.undeclared_objects)
    return pd.DataFrame({"undeclared_objects": counts, "passes": counts == 0})


def _count(evidence: Evidence, rule: UndeclaredRule) -> np.ndarray:
    counts = []
    for image_id, boxes in zip(evidence.table["image_id"], evidence.images.boxes, strict=True):
        found = confident(evidence.detections.get(image_id, ()), rule.confidence)
        covered = intersections(found.xyxy, boxes.xyxy) / areas(found.xyxy).clip(min=1e-9)[:, None]
        counts.append(int((covered.max(1, initial=0.0) < rule.covered).sum()))
    return np.array(counts, dtype=int)
