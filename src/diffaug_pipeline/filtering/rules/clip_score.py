"""Images that fit the sentences about their class worse than real training images usually do.

Score: `clip_score`, 2.5 times the cosine to the class sentence, at least 0 (Hessel et al. 2021, section 3).
"""

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.options import CommonFilteringOptions

WEIGHT = 2.5


def calibrate(train: Evidence, options: CommonFilteringOptions) -> dict[str, dict[str, float]]:
    """The score that an image of each class needs.

    A class with enough images has its own quantile; the others share the quantile of all distances from the class
    medians, so that their level still counts and only their spread is pooled.
    """
    quantile, scores = options.clip_score.quantile, pd.Series(_score(train))
    by_class = scores.groupby(train.labels)
    spread = (scores - by_class.transform("median")).quantile(quantile)
    return {
        "clip_score": {
            name: float(
                of_class.quantile(quantile)
                if len(of_class) >= options.min_images_per_class
                else of_class.median() + spread
            )
            for name, of_class in by_class
        }
    }


def score(
    evidence: Evidence, _thresholds: dict[str, dict[str, float]], _options: CommonFilteringOptions
) -> pd.DataFrame:
    """CLIP scores, at least 0."""
    return pd.DataFrame({"clip_score": _score(evidence)})


def passes(scored: pd.DataFrame, thresholds: dict[str, dict[str, float]]) -> pd.Series:
    """Not what scores below the threshold of its class."""
    return scored["clip_score"] >= scored["label"].map(thresholds["clip_score"]).astype(float)


def _score(evidence: Evidence) -> np.ndarray:
    return WEIGHT * evidence.of_own_class(evidence.cosines).clip(0)
