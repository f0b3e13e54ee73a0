"""Weather and light (Hendrycks and Dietterich 2019, section 3.1).

Every function takes (H, W, 3) float32 pixels in [0, 1]; what it returns may lie above.
"""

import cv2
import numpy as np

from diffaug_pipeline.robustness.blur import convolve, streak_kernel


def snow(  # noqa: PLR0913, PLR0917
    pixels: np.ndarray,
    rng: np.random.Generator,
    density: float,
    spread: float,
    flake_px: float,
    threshold: float,
    length_px: float,
    deviation_px: float,
    kept: float,
) -> np.ndarray:
    """Flakes fall as streaks in front of a picture that the light has bleached, of which a share is `kept`.

    Flakes are where noise of mean `density` and deviation `spread` exceeds `threshold`.
    """
    height, width = pixels.shape[:2]
    grid = int(np.ceil(height / flake_px)), int(np.ceil(width / flake_px))
    flakes = cv2.resize(rng.normal(density, spread, grid), (width, height), interpolation=cv2.INTER_LINEAR)
    flakes = np.where(flakes < threshold, 0, flakes).clip(0, 1)
    streaks = convolve(flakes, streak_kernel(length_px, deviation_px, rng.uniform(45, 135)))[:, :, None]
    bleached = np.maximum(pixels, 1.5 * cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[:, :, None] + 0.5)
    return kept * pixels + (1 - kept) * bleached + streaks + streaks[::-1, ::-1]


def fog(pixels: np.ndarray, rng: np.random.Generator, thickness: float, decay: float) -> np.ndarray:
    """A bank of fog; the brightest pixel stays about as bright as it was."""
    brightest = pixels.max()
    return (pixels + thickness * cloud(pixels.shape[:2], rng, decay)[:, :, None]) * (
        brightest / (brightest + thickness)
    )


def cloud(shape: tuple[int, int], rng: np.random.Generator, decay: float) -> np.ndarray:
    """(H, W) in [0, 1]: noise at ever finer scales, each `decay` times weaker than the one before."""
    height, width = shape
    total, cells, strength = np.zeros(shape), 2, 1.0
    while cells <= max(shape):
        octave = rng.uniform(-strength, strength, (cells + 1, cells + 1))
        total += cv2.resize(octave, (width, height), interpolation=cv2.INTER_CUBIC)
        cells, strength = 2 * cells, strength / decay
    above = total - total.min()
    return above / (above.max() or 1)  # a single pixel has no range


def brightness(pixels: np.ndarray, _: np.random.Generator, added: float) -> np.ndarray:
    """HSV's value is higher by `added`; hue and saturation stay."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    hsv[:, :, 2] = (hsv[:, :, 2] + added).clip(0, 1)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def contrast(pixels: np.ndarray, _: np.random.Generator, kept: float) -> np.ndarray:
    """A share of each value's distance to its channel's mean is `kept`."""
    means = pixels.mean((0, 1))
    return means + kept * (pixels - means)
