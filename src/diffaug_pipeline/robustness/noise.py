"""Noise of sensors and transmission (Hendrycks and Dietterich 2019, section 3.1).

Every function takes (H, W, 3) float32 pixels in [0, 1]; what it returns may lie outside.
"""

import numpy as np


def gaussian_noise(pixels: np.ndarray, rng: np.random.Generator, deviation: float) -> np.ndarray:
    """As in low light."""
    return pixels + rng.normal(0, deviation, pixels.shape)


def shot_noise(pixels: np.ndarray, rng: np.random.Generator, photons: float) -> np.ndarray:
    """Light comes in `photons` at most per pixel and channel."""
    return rng.poisson(pixels * photons) / photons


def impulse_noise(pixels: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """Salt and pepper: a `share` of all values is black or white."""
    drawn = rng.random(pixels.shape)
    return np.where(drawn < share, drawn < share / 2, pixels)


def speckle_noise(pixels: np.ndarray, rng: np.random.Generator, deviation: float) -> np.ndarray:
    """The brighter a pixel, the noisier."""
    return pixels * (1 + rng.normal(0, deviation, pixels.shape))
