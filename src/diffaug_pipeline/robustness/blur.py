"""Blur of lenses and movement (Hendrycks and Dietterich 2019, section 3.1).

Every function takes (H, W, 3) float32 pixels in [0, 1]; lengths are in pixels. Kernels are centred, so that only
`zoom_blur` moves what it blurs.
"""

import cv2
import numpy as np

SUBPIXELS = 8
ZOOMS = 12


def gaussian_blur(pixels: np.ndarray, _: np.random.Generator, deviation_px: float) -> np.ndarray:
    """A Gaussian kernel."""
    return cv2.GaussianBlur(pixels, (0, 0), deviation_px, borderType=cv2.BORDER_REPLICATE)


def defocus_blur(pixels: np.ndarray, _: np.random.Generator, radius_px: float) -> np.ndarray:
    """A point becomes a disc."""
    return convolve(pixels, disc_kernel(radius_px))


def motion_blur(pixels: np.ndarray, rng: np.random.Generator, length_px: float, deviation_px: float) -> np.ndarray:
    """The camera moves, within 45 degrees of level."""
    return convolve(pixels, streak_kernel(length_px, deviation_px, rng.uniform(-45, 45)))


def zoom_blur(pixels: np.ndarray, _: np.random.Generator, zoom: float) -> np.ndarray:
    """The camera moves ahead: the mean of enlargements by factors from 1 to 1 + `zoom`."""
    height, width = pixels.shape[:2]
    centre = (width - 1) / 2, (height - 1) / 2
    enlarged = [
        cv2.warpAffine(
            pixels,
            cv2.getRotationMatrix2D(centre, 0, 1 + factor),
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for factor in np.linspace(0, zoom, ZOOMS)
    ]
    return np.mean(enlarged, axis=0)


def convolve(pixels: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, 3) `pixels` under an odd-sized `kernel`, whose sum is 1."""
    return cv2.filter2D(pixels, -1, kernel, borderType=cv2.BORDER_REPLICATE)


def disc_kernel(radius_px: float) -> np.ndarray:
    """An evenly lit disc that reaches `radius_px` beyond the pixel in its centre.

    >>> disc_kernel(0).round(2).tolist()
    [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    radius = radius_px + 0.5
    size = 2 * int(np.ceil(radius)) + 1
    places = (np.arange(size * SUBPIXELS) + 0.5) / SUBPIXELS - size / 2
    inside = places[:, None] ** 2 + places**2 <= radius**2
    kernel = inside.reshape(size, SUBPIXELS, size, SUBPIXELS).mean((1, 3))
    return kernel / kernel.sum()


def streak_kernel(length_px: float, deviation_px: float, degrees: float) -> np.ndarray:
    """A line of twice `length_px` that fades as a Gaussian does; its centre of mass is the middle of the kernel."""
    along = np.arange(0, 2 * length_px, 1 / SUBPIXELS)
    weights = np.exp(-(along**2) / (2 * deviation_px**2))
    along = along - np.average(along, weights=weights)
    reach = int(np.ceil(np.abs(along).max())) + 1
    edges = np.arange(-reach, reach + 2) - 0.5
    angle = np.deg2rad(degrees)
    kernel, *_ = np.histogram2d(along * np.sin(angle), along * np.cos(angle), bins=(edges, edges), weights=weights)
    return kernel / kernel.sum()
