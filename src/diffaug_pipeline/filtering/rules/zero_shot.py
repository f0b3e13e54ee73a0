"""Images that the scorer takes for another class, or for their own less clearly than real training images.

Scores: `zero_shot_class`, the most probable one; `zero_shot_probability`, of the own class; `zero_shot_margin`, from
the own class to the best other one.
"""

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.options import CommonFilteringOptions


def calibrate(train: Evidence, options: CommonFilteringOptions) -> dict[str, dict[str, float]]:
    """The margin that an image of each class needs.

    The quantile over the images that are taken for their own class, of the class or, where those are too few, of all.
    """
    quantile, labels = options.zero_shot.quantile, train.labels
    scores = _score(train)
    right = scores["zero_shot_class"].to_numpy() == labels
    margins = scores["zero_shot_margin"]
    pooled = margins[right].quantile(quantile) if right.any() else 0.0
    needed = {}
    for name in np.unique(labels):
        own = margins[right & (labels == name)]
        needed[str(name)] = float(own.quantile(quantile) if len(own) >= options.min_images_per_class else pooled)
    return {"zero_shot_margin": needed}


def score(
    evidence: Evidence, _thresholds: dict[str, dict[str, float]], _options: CommonFilteringOptions
) -> pd.DataFrame:
    """The class it is taken for, the probability of its own, and the margin."""
    return _score(evidence)


def passes(scored: pd.DataFrame, thresholds: dict[str, dict[str, float]]) -> pd.Series:
    """Not what is taken for another class, or has less than the margin of its own."""
    wide = scored["zero_shot_margin"] >= scored["label"].map(thresholds["zero_shot_margin"]).astype(float)
    return (scored["zero_shot_class"] == scored["label"]) & wide


def _score(evidence: Evidence) -> pd.DataFrame:
    probabilities = evidence.probabilities
    own = evidence.of_own_class(probabilities)
    others = probabilities.copy()
    others[np.arange(len(own)), evidence.own_columns] = -1
    return pd.DataFrame(
        {
            "zero_shot_class": np.array(evidence.class_names)[probabilities.argmax(1)],
            "zero_shot_probability": own,
            "zero_shot_margin": own - others.max(1),
        }
    )
