"""Which of the images that pass all rules are taken."""

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.options import RankedSelection


def select(judged: pd.DataFrame, standing: np.ndarray, options: RankedSelection) -> np.ndarray:
    """(N,) bool: of the `standing` ones, those the policy takes, in each class or, of scenes, in all.

    The best by `options.score`, of equal ones the first row; those without a score, which show only what a person
    labelled, count as the best.
    """
    passed = judged[standing]
    strata = passed["label"] if "label" in passed else pd.Series("", index=passed.index)
    by_stratum = passed[options.score].fillna(np.inf).groupby(strata)
    taken = np.zeros(len(judged), dtype=bool)
    taken[standing] = by_stratum.rank(method="first", ascending=False) <= _most(by_stratum.transform("size"), options)
    return taken


def _most(counts: pd.Series, options: RankedSelection) -> pd.Series:
    """How many of as many images are taken; a share of an image counts as one."""
    # Rounded, for 0.1 * 30 is a little more than 3.
    by_policy = {
        "threshold": counts,
        "top_k": counts.clip(upper=options.top_k),
        "top_share": (counts * options.top_share).round(9),
    }
    return np.ceil(by_policy[options.policy]).clip(upper=options.most)
