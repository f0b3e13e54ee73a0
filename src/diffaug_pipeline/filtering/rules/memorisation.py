"""Near copies of training images that the generator reproduces from memory; they add nothing.

Scores: `train_distance`, to the nearest training image but an image's own source, in [0, 1], with `is_train_copy`, what
the audit makes of it; `source_distance`, to that source (null without one), in [0, 1]. Being like its source is what an
image was made for, so the two are judged apart.
"""

import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.options import CommonFilteringOptions


def calibrate(_train: Evidence, options: CommonFilteringOptions) -> dict[str, float]:
    """The distance to its source that an image needs, by the options; of copies the audit has set the threshold."""
    return {"source_distance": options.memorisation.min_source_distance or 0.0}


def score(evidence: Evidence, _thresholds: dict[str, float], _options: CommonFilteringOptions) -> pd.DataFrame:
    """What the audit says."""
    return evidence.copies[["train_distance", "is_train_copy", "source_distance"]]


def passes(scored: pd.DataFrame, thresholds: dict[str, float]) -> pd.Series:
    """Not what the audit found to be a copy, or what lies too near to its own source."""
    return ~scored["is_train_copy"] & ~(scored["source_distance"] < thresholds["source_distance"])
