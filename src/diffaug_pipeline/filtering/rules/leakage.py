"""Near copies of validation and test images: trained on, they would make the test figures too good.

Scores: `held_out_distance`, to the nearest validation or test image, in [0, 1], and `is_held_out_copy`, what the audit
makes of it. No threshold of a person's replaces that of the audit.
"""

from typing import Any

import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.options import CommonFilteringOptions


def calibrate(_train: Evidence, _options: CommonFilteringOptions) -> dict[str, Any]:
    """Nothing: the audit has set its threshold."""
    return {}


def score(evidence: Evidence, _thresholds: dict[str, Any], _options: CommonFilteringOptions) -> pd.DataFrame:
    """What the audit says."""
    return evidence.copies[["held_out_distance", "is_held_out_copy"]]


def passes(scored: pd.DataFrame, _thresholds: dict[str, Any]) -> pd.Series:
    """Not what the audit found to be a copy."""
    return ~scored["is_held_out_copy"]
