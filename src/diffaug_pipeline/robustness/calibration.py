"""Whether networks are as often right as they are confident, on clean test images.

Equal-width bins of confidence; the expected calibration error is the mean distance between confidence and accuracy in
them, weighted by how many answers they hold (Guo et al. 2017, equation 3). An answer of a classifier is its predicted
class. Of a detector it is a detection, right if it finds an object of its class at an IoU of 0.5 that no more confident
one has found: accuracy is then precision (Kueppers et al. 2020, section 3). What is missed is no part of either.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torchmetrics.functional.classification import binary_calibration_error

from diffaug_pipeline.average_precision import Detections, Truth, match
from diffaug_pipeline.imaging.image_set import ImageSet


@dataclass(frozen=True, eq=False)
class Answers:
    """The A answers of one network."""

    confidence: np.ndarray
    """(A,) in [0, 1]"""
    right: np.ndarray
    """(A,) bool"""


def classifier_answers(predictions: pd.DataFrame) -> list[Answers]:
    """One per seed, from the predictions table of `classification.prediction`."""
    return [
        Answers(np.stack(rows["probabilities"]).max(1), (rows["predicted"] == rows["label"]).to_numpy())
        for _, rows in predictions.groupby("seed")
    ]


def detector_answers(predictions: pd.DataFrame, real_images: ImageSet, min_confidence: float) -> list[Answers]:
    """One per seed, from the predictions table of `detection.prediction`; finding an ignored object does not count."""
    test, class_names = real_images.where(split="test"), real_images.class_names
    truth, answers = Truth.of(test.boxes, class_names), []
    for _, rows in predictions.groupby("seed"):
        detections = Detections.of(rows.set_index("image_id")["boxes"][test.index["image_id"]], class_names)
        matches = match(detections, truth)
        counted = (detections.confidence >= min_confidence) & ~matches.ignored[0]
        answers.append(Answers(detections.confidence[counted], matches.hits[0][counted]))
    return answers


def describe_calibration(answers: dict[str, list[Answers]], bins: int, min_confidence: float = 0.0) -> dict[str, Any]:
    """`bins`, the `min_confidence` of the answers, and by arm, for its answers of each seed:

    `expected_calibration_error` of each seed (`values`) and on average (`mean`), null where a seed has no answers.
    `reliability` has a row per bin, of the answers of all seeds: its bounds `low` and `high`, `answers`, and their mean
    `confidence` and `accuracy`, null where there are none.
    """
    arms = {}
    for arm, of_arm in answers.items():
        errors = [_calibration_error(of_seed, bins) for of_seed in of_arm]
        arms[arm] = {
            "expected_calibration_error": {
                "mean": None if None in errors else float(np.mean(errors)),
                "values": errors,
            },
            "reliability": _reliability(
                np.concatenate([of_seed.confidence for of_seed in of_arm]),
                np.concatenate([of_seed.right for of_seed in of_arm]),
                bins,
            ),
        }
    return {"bins": bins, "min_confidence": min_confidence, "arms": arms}


def _calibration_error(answers: Answers, bins: int) -> float | None:
    if not len(answers.right):
        return None
    confidence, right = (torch.from_numpy(values.copy()) for values in (answers.confidence, answers.right))
    return binary_calibration_error(confidence.float(), right.long(), n_bins=bins).item()


def _reliability(confidence: np.ndarray, right: np.ndarray, bins: int) -> list[dict[str, Any]]:
    edges = np.linspace(0, 1, bins + 1)
    places = np.digitize(confidence, edges[1:-1], right=True)
    rows = []
    for number in range(bins):
        inside = places == number
        rows.append(
            {
                "low": float(edges[number]),
                "high": float(edges[number + 1]),
                "answers": int(inside.sum()),
                "confidence": float(confidence[inside].mean()) if inside.any() else None,
                "accuracy": float(right[inside].mean()) if inside.any() else None,
            }
        )
    return rows
