"""Boxes that detectors which never saw the scene's source do not confirm.

Score: `detector_iou`, the best overlap with a detection that counts; 0 where there is none.
"""

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence, confident
from diffaug_pipeline.filtering.options import AgreementRule, DetectionFilteringOptions
from diffaug_pipeline.imaging.boxes import ious


def calibrate(_train: Evidence, options: DetectionFilteringOptions) -> dict[str, float]:
    """The overlap that the options ask for: the detectors have seen the real training images."""
    return {"detector_iou": options.detector_agreement.iou}


def score(evidence: Evidence, _thresholds: dict[str, float], options: DetectionFilteringOptions) -> pd.DataFrame:
    """The overlaps."""
    return pd.DataFrame({"detector_iou": _confirmed(evidence, options.detector_agreement)})


def passes(scored: pd.DataFrame, thresholds: dict[str, float]) -> pd.Series:
    """Not boxes without a detection that overlaps them enough."""
    return scored["detector_iou"] >= thresholds["detector_iou"]


def _confirmed(evidence: Evidence, rule: AgreementRule) -> np.ndarray:
    best = []
    for image_id, rows in evidence.table.groupby("image_id", sort=False):
        boxes = evidence.images.boxes_of(image_id).where(rows["box"].to_numpy())
        found = confident(evidence.detections.get(image_id, ()), rule.confidence)
        overlap = ious(boxes.xyxy, found.xyxy)
        if rule.same_class:
            overlap = overlap * (boxes.labels[:, None] == found.labels[None])
        best.append(overlap.max(1, initial=0.0))
    return np.concatenate(best) if best else np.zeros(0)
