"""Intervals of what is measured on several pictures per source; only the sources are independent of each other."""

import numpy as np
from scipy import stats

from diffaug_pipeline.evaluation.intervals import Interval


def mean_interval(values: np.ndarray, confidence: float) -> Interval:
    """Student's t interval of the mean of (S,) values, one per source; NaN ones do not count.

    A single value has no spread: its bounds are NaN.

    >>> interval = mean_interval(np.array([1.0, 2.0, 3.0]), 0.95)
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.484, 4.484)
    """
    known = values[~np.isnan(values)]
    if len(known) < 2:
        return Interval(float(known.mean()) if len(known) else np.nan, np.nan, np.nan)
    half_width = stats.t.ppf((1 + confidence) / 2, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known))
    return Interval(float(known.mean()), float(known.mean() - half_width), float(known.mean() + half_width))


def proportion_interval(shares: np.ndarray, pictures_per_source: int, confidence: float) -> Interval:
    """Wilson's interval of the mean of (S,) `shares`, each a share of the pictures of one source.

    Pictures of one source resemble each other, so that they count for fewer: the effective number is the one of
    independent pictures whose mean would vary as much (Korn and Graubard 1998), at least S and at most all. With one
    picture per source it is Wilson's interval itself (Wilson 1927).

    >>> interval = proportion_interval(np.array([1.0, 0, 1, 1]), 1, 0.95)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.301, 0.954)
    """
    sources, mean = len(shares), float(shares.mean())
    variance = shares.var() / sources
    effective = mean * (1 - mean) / variance if variance > 0 else sources if mean in (0, 1) else np.inf
    count = min(max(effective, sources), sources * pictures_per_source)
    z = stats.norm.ppf((1 + confidence) / 2)
    centre = (mean + z**2 / (2 * count)) / (1 + z**2 / count)
    half_width = z / (1 + z**2 / count) * np.sqrt(mean * (1 - mean) / count + z**2 / (4 * count**2))
    return Interval(mean, max(0.0, float(centre - half_width)), min(1.0, float(centre + half_width)))


def difference_interval(first: Interval, second: Interval, correlation: float) -> Interval:
    """Interval of the difference of the means of two intervals, measured on the same sources.

    The two intervals' own distances to their bounds are added as variances are (Zou and Donner 2008, equations 6 and 7;
    for proportions Newcombe 1998, method 10), so that two proportions of 100 % still have a difference of some width.

    >>> interval = difference_interval(Interval(0.9, 0.8, 0.95), Interval(0.8, 0.7, 0.87), 0.0)
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.022, 0.212)
    """
    difference = first.mean - second.mean
    below = _combined(first.mean - first.low, second.high - second.mean, correlation)
    above = _combined(first.high - first.mean, second.mean - second.low, correlation)
    return Interval(difference, difference - below, difference + above)


def _combined(first: float, second: float, correlation: float) -> float:
    return float(np.sqrt(max(0.0, first**2 + second**2 - 2 * correlation * first * second)))


def correlation_of(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's between two (S,) columns; 0 where one does not vary, which makes no interval narrower."""
    if first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
