"""Near copies of training images that the generator reproduces from memory; they add nothing.

Scores: `train_distance`, to the nearest training image but an image's own source, and `source_distance`, to that
source (null without one), in [0, 1]. Being like its source is what an image was made for, so the two are judged apart.
"""

from typing import Any

import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.options import CommonFilteringOptions


def calibrate(_train: Evidence, _options: CommonFilteringOptions) -> dict[str, Any]:
    """Nothing: the audit has set its threshold."""
    return {}


def judge(evidence: Evidence, _thresholds: dict[str, Any], options: CommonFilteringOptions) -> pd.DataFrame:
    """Fails what the audit found to be a copy, and what lies too near to its own source."""
    copies, least = evidence.copies, options.memorisation.min_source_distance
    unchanged = copies["source_distance"] < (0.0 if least is None else least)
    return pd.DataFrame(
        {
            "train_distance": copies["train_distance"],
            "source_distance": copies["source_distance"],
            "passes": ~copies["is_train_copy"] & ~unchanged,
        }
    )
