"""How much of an arm's performance corruptions leave, and what synthetic images change about that.

Of the mean metric under corruption and of the share of the clean one that it is, mPC and rPC of Michaelis et al. 2019
(section 3.2). Of classifiers also the mean corruption error (mCE) and the relative one, of which only the errors that
corruption adds are part (Hendrycks and Dietterich 2019, section 4.1): for each corruption the error of an arm, summed
over severities, divided by that of real_only; their mean over corruptions. real_only itself has 1, which is what its
seeds have on average: each network is divided by the same figure, so that differences stay paired.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.evaluation.comparison import BASELINE, TREATMENT
from diffaug_pipeline.evaluation.intervals import crossed_interval
from diffaug_pipeline.robustness.corrupted_images import CLEAN, CLEAN_SEVERITY
from diffaug_pipeline.robustness.measures import CLASSIFIER_METRIC

LEAST_ADDED_ERROR = 0.05
"""A corruption that costs real_only less, on average, is no part of the relative error: it would divide by nothing."""
MEAN_ERRORS = ("mean_corruption_error", "relative_mean_corruption_error")
SHARE, POSITIVE, ANY = (0.0, 1.0), (0.0, np.inf), (-np.inf, np.inf)
"""What figures lie between."""


@dataclass(frozen=True, eq=False)
class Performance:
    """One arm's metric for S seeds under K corruptions at L severities; first on all images, then on B resamples."""

    clean: np.ndarray
    """(1 + B, S)"""
    corrupted: np.ndarray
    """(1 + B, K, L, S)"""
    seeds: list[int]
    corruptions: list[str]
    severities: list[int]

    @classmethod
    def of(cls, measures: pd.DataFrame) -> "Performance":
        """From the table of `robustness.measures`."""
        conditions = measures[measures["corruption"] != CLEAN]
        corruptions = conditions["corruption"].unique().tolist()
        severities, seeds = sorted(conditions["severity"].unique().tolist()), sorted(measures["seed"].unique().tolist())
        cells = measures.set_index(["corruption", "severity", "seed"])

        def samples(corruption: str, severity: int) -> np.ndarray:
            rows = [cells.loc[(corruption, severity, seed)] for seed in seeds]
            return np.stack([np.append(row["value"], row["resampled"]) for row in rows], axis=1)

        corrupted = [np.stack([samples(name, level) for level in severities], axis=1) for name in corruptions]
        return cls(samples(CLEAN, CLEAN_SEVERITY), np.stack(corrupted, axis=1), seeds, corruptions, severities)

    @property
    def mean(self) -> np.ndarray:
        """(1 + B, S) over corruptions and severities."""
        return self.corrupted.mean((1, 2))

    @property
    def retained(self) -> np.ndarray:
        """(1 + B, S) the same as a share of the clean performance; NaN where that is zero."""
        return _divide(self.mean, self.clean)


def corruption_errors(arm: Performance, baseline: Performance) -> np.ndarray:
    """(1 + B, K, S) of each corruption; 1 is the baseline's mean over seeds, NaN where it makes no error."""
    error, of_baseline = (1 - performance.corrupted.mean(2) for performance in (arm, baseline))
    return _divide(error, of_baseline.mean(-1, keepdims=True))


def relative_mean_corruption_error(arm: Performance, baseline: Performance) -> np.ndarray:
    """(1 + B, S); NaN where no corruption costs the baseline `LEAST_ADDED_ERROR` or more."""
    added, of_baseline = (performance.clean[:, None] - performance.corrupted.mean(2) for performance in (arm, baseline))
    costly = of_baseline[0].mean(-1) >= LEAST_ADDED_ERROR
    if not costly.any():
        return np.full(arm.clean.shape, np.nan)
    return _divide(added[:, costly], of_baseline[:, costly].mean(-1, keepdims=True)).mean(1)


def summarize_robustness(
    measures: dict[str, pd.DataFrame], calibration: dict[str, Any], test_images: int, confidence: float
) -> dict[str, Any]:
    """The study's document: all of it, with intervals over seeds and the `test_images`, and the `calibration`.

    `measures` by arm, `real_only` and `augmented` among them. Each of `clean`, `corrupted` (mPC), `retained` (rPC),
    `mean_corruption_error` and `relative_mean_corruption_error`, the last two null for detectors, has `arms` and their
    `difference`, augmented minus real_only; so has each of `corruptions`, with its mean over severities, its
    `severities` and, null for detectors, its `corruption_error`. What is undefined is null. Raises ValueError if arms
    differ in seeds, corruptions or severities.
    """
    arms = {name: Performance.of(table) for name, table in measures.items()}
    _check_paired(arms)
    baseline, metric = arms[BASELINE], str(measures[BASELINE]["metric"].iloc[0])
    has_errors = metric == CLASSIFIER_METRIC
    return {
        "metric": metric,
        "confidence": confidence,
        "seeds": baseline.seeds,
        "severities": baseline.severities,
        "test_images": test_images,
        "clean": _compare({name: arm.clean for name, arm in arms.items()}, confidence, SHARE),
        "corrupted": _compare({name: arm.mean for name, arm in arms.items()}, confidence, SHARE),
        "retained": _compare({name: arm.retained for name, arm in arms.items()}, confidence, POSITIVE),
        **(_compare_mean_errors(arms, confidence) if has_errors else dict.fromkeys(MEAN_ERRORS)),
        "corruptions": {
            corruption: _compare_under(arms, number, confidence, has_errors)
            for number, corruption in enumerate(baseline.corruptions)
        },
        "calibration": calibration,
    }


def _compare_mean_errors(arms: dict[str, Performance], confidence: float) -> dict[str, Any]:
    errors = {name: corruption_errors(arm, arms[BASELINE]).mean(1) for name, arm in arms.items()}
    relative = {name: relative_mean_corruption_error(arm, arms[BASELINE]) for name, arm in arms.items()}
    compared = _compare(errors, confidence, POSITIVE), _compare(relative, confidence, ANY)
    return dict(zip(MEAN_ERRORS, compared, strict=True))


def _compare_under(arms: dict[str, Performance], number: int, confidence: float, has_errors: bool) -> dict[str, Any]:
    """One corruption: its mean over severities, each of them, and its error."""
    under = {name: arm.corrupted[:, number] for name, arm in arms.items()}  # (1 + B, L, S)
    errors = {name: corruption_errors(arm, arms[BASELINE])[:, number] for name, arm in arms.items()}
    return {
        **_compare({name: values.mean(1) for name, values in under.items()}, confidence, SHARE),
        "corruption_error": _compare(errors, confidence, POSITIVE) if has_errors else None,
        "severities": {
            str(severity): _compare({name: values[:, place] for name, values in under.items()}, confidence, SHARE)
            for place, severity in enumerate(arms[BASELINE].severities)
        },
    }


def _compare(figures: dict[str, np.ndarray], confidence: float, bounds: tuple[float, float]) -> dict[str, Any]:
    """(1 + B, S) `figures` by arm, which lie within `bounds`."""
    least, most = bounds
    return {
        "arms": {name: _interval(values, confidence, least, most) for name, values in figures.items()},
        "difference": _interval(figures[TREATMENT] - figures[BASELINE], confidence, least - most, most - least),
    }


def _interval(samples: np.ndarray, confidence: float, least: float, most: float) -> dict[str, Any] | None:
    """Of (1 + B, S) `samples`; resamples that leave the figure undefined do not count."""
    values, resampled = samples[0], samples[1:]
    defined = ~np.isnan(resampled).any(1)
    if np.isnan(values).any() or defined.sum() < 2:
        return None
    interval = crossed_interval(values, resampled[defined], confidence)
    bounds = np.clip([interval.low, interval.high], least, most)
    return {"mean": interval.mean, "interval": bounds.tolist(), "values": values.tolist()}


def _divide(dividend: np.ndarray, divisor: np.ndarray) -> np.ndarray:
    dividend, divisor = np.broadcast_arrays(dividend, divisor)
    return np.divide(dividend, divisor, out=np.full(dividend.shape, np.nan), where=divisor != 0)


def _check_paired(arms: dict[str, Performance]) -> None:
    baseline = arms[BASELINE]
    for name, arm in arms.items():
        for what in ("seeds", "corruptions", "severities"):
            theirs, ours = getattr(arm, what), getattr(baseline, what)
            if theirs != ours:
                raise ValueError(f"{name} has {what} {theirs}, {BASELINE} has {ours}; measure both with the same ones.")
