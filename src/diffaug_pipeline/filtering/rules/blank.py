"""Pictures on which there is hardly anything: near-constant, all but black and white, or blacked out.

Scores, of the gray thumbnail: `contrast`, the standard deviation of its brightness, in [0, 0.5]; `midtones`, the share
of its pixels that are neither black nor white, in [0, 1]. Limits follow real images, for garments on black ground have
few midtones and photographs have many.
"""

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.options import CommonFilteringOptions

BLACK, WHITE = 2, 253
"""Levels, of 255, up to and from which a pixel shows nothing."""


def calibrate(train: Evidence, options: CommonFilteringOptions) -> dict[str, float]:
    """What a picture needs at least of each score."""
    rule, scores = options.blank, _score(train.thumbnails)
    contrast, midtones = (float(scores[name].quantile(rule.quantile)) * rule.share for name in ("contrast", "midtones"))
    return {"contrast": max(rule.min_contrast, contrast), "midtones": midtones}


def score(evidence: Evidence, _thresholds: dict[str, float], _options: CommonFilteringOptions) -> pd.DataFrame:
    """Contrast and midtones."""
    return _score(evidence.thumbnails)


def passes(scored: pd.DataFrame, thresholds: dict[str, float]) -> pd.Series:
    """Not what has less than the limit of either."""
    return (scored[list(thresholds)] >= pd.Series(thresholds)).all(axis=1)


def _score(thumbnails: np.ndarray) -> pd.DataFrame:
    pixels = thumbnails.reshape(len(thumbnails), -1)
    return pd.DataFrame(
        {
            "contrast": pixels.std(1, dtype=np.float64) / 255,
            "midtones": ((pixels > BLACK) & (pixels < WHITE)).mean(1),
        }
    )
