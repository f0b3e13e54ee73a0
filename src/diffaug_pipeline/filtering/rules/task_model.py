"""What classifiers of the task's own kind, trained on other real images, make of an image.

Scores: `task_model_class`, the most probable one; `task_model_probability`, of the own class; `task_model_counted_as`,
null where nothing is sure; `task_model_draw`, in [0, 1), by which what is surely right is thinned. An image is counted
as of a class if that is the most probable of those to which it is given at least the probability that real images of
the class get from networks that have not seen them: confident learning (Northcutt et al. 2021, section 3.1), with a
floor. What is counted follows from the probabilities of all classes, so a person sets no threshold of this rule.
"""

from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.options import FilteringOptions
from diffaug_pipeline.seeding import derive_seed

NO_CLASS = -1


def calibrate(train: Evidence, options: FilteringOptions) -> dict[str, Any]:
    """The mean probability that real training images of each class get out of fold, or the floor; the share kept."""
    own, floor = pd.Series(train.of_own_class(train.predictions)), options.task_model.min_confidence
    by_class = own.groupby(train.labels)
    return {
        "task_model_probability": {name: max(floor, float(of_class.mean())) for name, of_class in by_class},
        "task_model_draw": options.task_model.keep_confident,
    }


def score(evidence: Evidence, thresholds: dict[str, Any], options: FilteringOptions) -> pd.DataFrame:
    """What the classifiers say; what they are sure of depends on what is usual."""
    usual = thresholds["task_model_probability"]
    counted = _count_as(evidence.predictions, np.array([usual.get(name, np.inf) for name in evidence.class_names]))
    names = np.array(evidence.class_names, dtype=object)
    return pd.DataFrame(
        {
            "task_model_class": names[evidence.predictions.argmax(1)],
            "task_model_probability": evidence.of_own_class(evidence.predictions),
            "task_model_counted_as": pd.Series(np.where(counted == NO_CLASS, None, names[counted]), dtype="str"),
            "task_model_draw": _draw(evidence, options),
        }
    )


def passes(scored: pd.DataFrame, thresholds: dict[str, Any]) -> pd.Series:
    """Not what is counted as of another class, nor all that is counted as of its own where those are thinned."""
    counted_as, stays = scored["task_model_counted_as"], scored["task_model_draw"] < thresholds["task_model_draw"]
    return counted_as.isna() | ((counted_as == scored["label"]) & stays)


def _count_as(probabilities: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """(N,) column of the class each row of (N, C) `probabilities` counts as, given what is (C,) `usual`."""
    confident = np.where(probabilities >= usual, probabilities, -np.inf)
    return np.where(np.isfinite(confident.max(1)), confident.argmax(1), NO_CLASS)


def _draw(evidence: Evidence, options: FilteringOptions) -> np.ndarray:
    """(N,) numbers in [0, 1), each the image's own whatever else there is."""
    seeds = [derive_seed(options.task_model.seed, "task_model", image_id) for image_id in evidence.table["image_id"]]
    return np.array(seeds, dtype=float) / 2**63
