"""Which strengths keep the class and still make something new.

A strength keeps the class where the lower bound of the change in class agreement is at least minus the tolerance (a
test of non-inferiority), and loses it where the upper bound is below that; in between it is undecided. Recommended are
those that keep it, below the first that loses it, and from where on, without exception, the upper bound of the share of
near duplicates is at most what is allowed.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.strength_study.options import StrengthStudyOptions


@dataclass(frozen=True)
class Recommendation:
    """The strengths to use on this dataset, and why; all of them ascending."""

    strengths: list[float]
    """Empty where none qualifies."""
    new_from: float | None
    """From here on results are more than near duplicates of their sources; None: nowhere."""
    lost_from: float | None
    """The lowest strength at which the class is lost; None: nowhere."""
    undecided: list[float]
    """Below that, and neither shown to keep the class nor to lose it."""
    title: str
    reasons: list[str]

    def document(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def recommend(summary: pd.DataFrame, options: StrengthStudyOptions) -> Recommendation:
    """From the table of `strength_study.summary`."""
    tried = summary["strength"].to_numpy()
    keeps = (summary["agreement_change_low"] >= -options.agreement_tolerance).to_numpy()
    lost = np.logical_or.accumulate((summary["agreement_change_high"] < -options.agreement_tolerance).to_numpy())
    differs = (summary["near_duplicates_high"] <= options.max_near_duplicates).to_numpy()
    new = np.logical_and.accumulate(differs[::-1])[::-1]
    chosen, undecided = tried[keeps & ~lost & new].tolist(), tried[~keeps & ~lost].tolist()
    new_from, lost_from = (float(tried[mask][0]) if mask.any() else None for mask in (new, lost))
    named = f"Strength{'s' * (len(chosen) > 1)} {describe_strengths(chosen, tried.tolist())}"
    return Recommendation(
        strengths=chosen,
        new_from=new_from,
        lost_from=lost_from,
        undecided=undecided,
        title=named if chosen else "No strength qualifies",
        reasons=[
            _describe_new(new_from, options),
            _describe_lost(lost_from, options),
            *_describe_undecided(undecided, tried.tolist(), options),
        ],
    )


def describe_strengths(chosen: list[float], tried: list[float]) -> str:
    """The strengths in words, as a range where it has no gap.

    >>> describe_strengths([0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]), describe_strengths([0.2, 0.4], [0.2, 0.3, 0.4])
    ('0.2 to 0.4', '0.2 and 0.4')
    """
    if len(chosen) > 2 and tried.index(chosen[-1]) - tried.index(chosen[0]) == len(chosen) - 1:
        return f"{chosen[0]:g} to {chosen[-1]:g}"
    *first, last = [f"{strength:g}" for strength in chosen] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _describe_new(new_from: float | None, options: StrengthStudyOptions) -> str:
    share = f"{100 * options.max_near_duplicates:g} %"
    if new_from is None:
        return f"At no strength is it shown that at most {share} of the pictures are near duplicates of their source."
    return f"From {new_from:g} on, at most {share} of the pictures are near duplicates of their source."


def _describe_lost(lost_from: float | None, options: StrengthStudyOptions) -> str:
    fall = f"by more than {100 * options.agreement_tolerance:g} points below that of the real sources"
    if lost_from is None:
        return f"At no strength is class agreement shown to fall {fall}."
    return f"At {lost_from:g} class agreement falls {fall}; from there on, nothing is recommended."


def _describe_undecided(undecided: list[float], tried: list[float], options: StrengthStudyOptions) -> list[str]:
    if not undecided:
        return []
    return [
        f"Undecided: {describe_strengths(undecided, tried)}. There class agreement may have fallen by more than "
        f"{100 * options.agreement_tolerance:g} points, or by less; more sources would tell."
    ]
