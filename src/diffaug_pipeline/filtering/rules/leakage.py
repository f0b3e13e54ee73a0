"""Near copies of validation and test images: trained on, they would make the test figures too good.

Score: `held_out_distance`, to the nearest validation or test image, in [0, 1].
"""

from typing import Any

import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.options import CommonFilteringOptions


def calibrate(_train: Evidence, _options: CommonFilteringOptions) -> dict[str, Any]:
    """Nothing: the audit has set its threshold."""
    return {}


def judge(evidence: Evidence, _thresholds: dict[str, Any], _options: CommonFilteringOptions) -> pd.DataFrame:
    """Fails what the audit found to be a copy."""
    copies = evidence.copies
    return pd.DataFrame({"held_out_distance": copies["held_out_distance"], "passes": ~copies["is_held_out_copy"]})
