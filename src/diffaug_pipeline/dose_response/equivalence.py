"""What a gain is worth in real images, read off a learning curve over real data alone.

The curve is error(n) = a + b n^-c with a, b >= 0 (Cortes et al. 1994; Hestness et al. 2017 find it in deep networks).
Because it ends at all real images there are, whatever a gain is worth lies beyond it: an extrapolation.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from diffaug_pipeline.dose_response.choice import Measured

EXPONENTS = np.geomspace(0.05, 2, 120)
"""What c is looked for among; Hestness et al. find 0.07 to 0.35, simple learners reach 1."""
MIN_POINTS = 3
"""Numbers of images below which three parameters cannot be told."""


@dataclass(frozen=True)
class PowerLaws:
    """B learning curves over n images relative to N: error(n) = asymptote + scale (n / N)^-exponent; each (B,)."""

    asymptote: np.ndarray
    scale: np.ndarray
    exponent: np.ndarray

    def errors(self, growth: np.ndarray) -> np.ndarray:
        """(B, G) at (G,) multiples `growth` of N images."""
        return self.asymptote[:, None] + self.scale[:, None] * growth ** -self.exponent[:, None]

    def growth_for(self, gain: np.ndarray) -> np.ndarray:
        """(B,) multiples of N at which the error is lower by (B,) `gain` than at N; inf where the curve never is."""
        with np.errstate(divide="ignore", invalid="ignore"):
            left = np.where(gain == 0, 1.0, 1 - gain / self.scale)
            return np.where(left > 0, np.maximum(left, 0.0) ** (-1 / self.exponent), np.inf)


def fit_power_laws(growth: np.ndarray, errors: np.ndarray) -> PowerLaws:
    """Least squares of (B, K) `errors` in [0, 1] at (K,) multiples `growth` of N images.

    For each of `EXPONENTS` the other two parameters have a closed form, so that the best of all is found.
    """
    x = growth ** -EXPONENTS[:, None]  # (C, K)
    x_mean, y_mean = x.mean(1), errors.mean(1, keepdims=True)
    centred = x - x_mean[:, None]
    scale = (((errors - y_mean) @ centred.T) / (centred**2).sum(1)).clip(min=0)  # (B, C)
    asymptote = y_mean - scale * x_mean
    scale = np.where(asymptote < 0, (errors @ x.T) / (x**2).sum(1), scale)
    asymptote = asymptote.clip(min=0)
    misfit = ((errors[:, None] - asymptote[..., None] - scale[..., None] * x) ** 2).sum(2)
    best = misfit.argmin(1)
    rows = np.arange(len(errors))
    return PowerLaws(asymptote[rows, best], scale[rows, best], EXPONENTS[best])


@dataclass(frozen=True)
class Curve:
    """A metric, in [0, 1], of the networks of S seeds after training on some of the real images, or on all."""

    images: np.ndarray
    """(K,) numbers of real images, ascending; the last is all of them."""
    values: np.ndarray
    """(S, K)"""
    resampled: np.ndarray
    """(B, S, K), on resamples of the images that are asked about."""

    def fit(self, values: np.ndarray) -> PowerLaws:
        """Of (B, K) means over seeds."""
        return fit_power_laws(self.images / self.images[-1], 1 - values)


def worth_in_images(curve: Curve, gain: Measured, max_growth: float, confidence: float, seed: int) -> dict[str, Any]:
    """How many real images beyond all there are would gain as much as `gain`, which is of the seeds of `curve`.

    The curve is shifted to pass through the result of all real images, so that no gain is worth no images. Its interval
    is that of a bootstrap over seeds and images together, which is rather too wide (`evaluation.intervals`), and knows
    nothing of other subsets of the real images. What lies beyond `max_growth` times the real images is not told:
    `images` or a bound is null there, meaning more than `limit`.
    """
    limit = (max_growth - 1) * curve.images[-1]

    def extra_images(values: np.ndarray, gains: np.ndarray) -> np.ndarray:
        return ((curve.fit(values).growth_for(gains) - 1) * curve.images[-1]).clip(max=limit)

    drawn = np.random.default_rng(seed).integers(0, len(gain.values), gain.resampled.shape)
    spread = extra_images(
        np.take_along_axis(curve.resampled, drawn[..., None], axis=1).mean(1),
        np.take_along_axis(gain.resampled, drawn, axis=1).mean(1),
    )
    point = extra_images(curve.values.mean(0, keepdims=True), gain.values.mean(keepdims=True))
    low, high = np.quantile(spread, [(1 - confidence) / 2, (1 + confidence) / 2])

    def told(images: float) -> int | None:
        return None if images >= limit else round(float(images))

    return {"images": told(point[0]), "interval": [told(low), told(high)], "limit": round(float(limit))}
