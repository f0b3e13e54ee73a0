"""The dose to use, chosen on real validation images."""

from dataclasses import dataclass

import numpy as np

from diffaug_pipeline.evaluation.intervals import (
    Interval,
    bootstrap_counts,
    crossed_interval,
    crossed_standard_error,
)
from diffaug_pipeline.evaluation.options import ComparisonOptions
from diffaug_pipeline.evaluation.outcomes import Outcomes


@dataclass(frozen=True)
class Measured:
    """A metric of the S networks of an arm, or its difference between two arms, paired by seed."""

    values: np.ndarray
    """(S,)"""
    resampled: np.ndarray
    """(B, S), on resamples of the images on which it is defined."""

    def minus(self, other: "Measured") -> "Measured":
        """The paired difference."""
        return Measured(self.values - other.values, self.resampled - other.resampled)

    @property
    def mean(self) -> float:
        """Over seeds."""
        return float(self.values.mean())

    @property
    def standard_error(self) -> float:
        """Of the mean, over seeds and images."""
        return crossed_standard_error(self.values, self.resampled)

    def interval(self, confidence: float) -> Interval:
        """Of the mean, over seeds and images."""
        return crossed_interval(self.values, self.resampled, confidence)


def measure_arms(outcomes: dict[str, Outcomes], options: ComparisonOptions) -> dict[str, Measured]:
    """The metric of each arm on the same resamples of the images; all arms were asked about the same ones."""
    images = len(next(iter(outcomes.values())).image_ids)
    observed = {arm: of_arm.metrics(np.ones((1, images)))[options.metric][0] for arm, of_arm in outcomes.items()}
    blocks: dict[str, list[np.ndarray]] = {arm: [] for arm in outcomes}
    for counts in bootstrap_counts(images, options.bootstrap_samples, options.seed):
        for arm, of_arm in outcomes.items():
            blocks[arm].append(of_arm.metrics(counts)[options.metric])
    resampled = {arm: np.concatenate(parts) for arm, parts in blocks.items()}
    defined = ~np.isnan(np.stack(list(resampled.values()))).any((0, 2))
    return {arm: Measured(observed[arm], resampled[arm][defined]) for arm in outcomes}


def choose_ratio(gains: dict[float, float], errors: dict[float, float], standard_errors: float) -> tuple[float, float]:
    """The best ratio and the one to use, from the mean gain of each over ratio 0 and its standard error.

    To use is the smallest whose gain is within so many standard errors of the best one's (Breiman et al. 1984, section
    3.4.3): doses that cannot be told apart from the best are not worth generating for. Ratio 0 is among them.

    >>> choose_ratio({0: 0.0, 0.5: 0.028, 1: 0.03, 2: 0.01}, {0: 0.0, 0.5: 0.004, 1: 0.005, 2: 0.005}, 1)
    (1, 0.5)
    """
    best = max(gains, key=lambda ratio: (gains[ratio], -ratio))
    least = gains[best] - standard_errors * errors[best]
    return best, min(ratio for ratio, gain in gains.items() if gain >= least)
