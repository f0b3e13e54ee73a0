"""Confidence intervals for results that vary both with the training seed and with the test images.

Seeds and images are crossed: every network is asked about the same images. That is the design of reader studies in
radiology, with seeds as readers and images as cases, and their analysis is used: Obuchowski and Rockette (1995) with
the degrees of freedom of Hillis (2007). `benchmarks/simulate_intervals.py` counts how often it contains the truth, and
how often a bootstrap over seeds and images and a t interval over seeds do.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

COUNTS_PER_BLOCK = 2_000_000


@dataclass(frozen=True)
class Interval:
    """A mean over seeds with its confidence interval."""

    mean: float
    low: float
    high: float


def crossed_interval(values: np.ndarray, resampled: np.ndarray, confidence: float) -> Interval:
    """Interval of the mean of (S,) `values`, one per seed; (B, S) `resampled` are they on B resamples of the images.

    The variance of the mean is that over seeds divided by S plus the covariance which shared images give two seeds.
    Test images alone make seeds differ by their own variance less that covariance. Five seeds that agree by chance
    would promise too much, so where they differ by less than that, both figures estimate the same variance and their
    mean is taken: the larger one would cover too often, the seeds' alone would let a lucky draw shrink the interval to
    nothing. With one seed only the images' part is known, and the interval says nothing about other seeds.

    >>> resampled = np.random.default_rng(0).normal(0.5, 0.0, (200, 5))
    >>> interval = crossed_interval(np.array([0.4, 0.5, 0.5, 0.5, 0.6]), resampled, 0.95)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.412, 0.588)
    """
    mean = float(values.mean())
    variance, freedom = _variance_of_mean(values, resampled)
    half_width = float(stats.t.ppf((1 + confidence) / 2, freedom) * np.sqrt(variance))
    return Interval(mean, mean - half_width, mean + half_width)


def crossed_standard_error(values: np.ndarray, resampled: np.ndarray) -> float:
    """Of the same mean; what the interval's width is a multiple of."""
    return float(np.sqrt(_variance_of_mean(values, resampled)[0]))


def _variance_of_mean(values: np.ndarray, resampled: np.ndarray) -> tuple[float, float]:
    """The variance, and its degrees of freedom."""
    seeds = len(values)
    if seeds == 1:
        return float(resampled[:, 0].var(ddof=1)), np.inf
    own, covariance = _image_variance(resampled)
    observed, shared = float(values.var(ddof=1)), max(0.0, covariance)
    between_seeds = max(observed, (observed + own - covariance) / 2)
    freedom = (between_seeds + seeds * shared) ** 2 / (observed**2 / (seeds - 1)) if observed else np.inf
    return between_seeds / seeds + shared, freedom


def _image_variance(resampled: np.ndarray) -> tuple[float, float]:
    """Mean variance of a column, and mean covariance of two different ones."""
    covariance = np.cov(resampled, rowvar=False)
    seeds, own = len(covariance), np.trace(covariance)
    return float(own / seeds), float((covariance.sum() - own) / (seeds * (seeds - 1)))


def bootstrap_counts(images: int, samples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each image occurs in each resample: `samples` rows of `images` counts, in blocks of bounded size."""
    rng, rows = np.random.default_rng(seed), max(1, COUNTS_PER_BLOCK // images)
    for start in range(0, samples, rows):
        size = min(rows, samples - start)
        yield rng.multinomial(images, np.full(images, 1 / images), size=size).astype(float)
