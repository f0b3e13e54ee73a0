"""Two pictures of one frame made into one, with soft borders at boxes."""

import math

import numpy as np
from PIL import Image


def touched_pixels(xyxy: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """(N, 4) int: the (N, 4) boxes grown to whole pixels, cut at the borders of a picture of `size_px`."""
    grown = np.concatenate([np.floor(xyxy[:, :2]), np.ceil(xyxy[:, 2:])], axis=1)
    return grown.clip(0, [*size_px, *size_px]).astype(int)


def weights_around(xyxy: np.ndarray, size_px: tuple[int, int], feather_px: float) -> np.ndarray:
    """(H, W) float32 in [0, 1]: 1 in pixels that the (N, 4) boxes touch, falling to 0 beyond `feather_px` of them.

    >>> weights_around(np.array([[0, 0, 1, 1]]), (4, 1), 1).tolist()
    [[1.0, 0.5, 0.0, 0.0]]
    """
    width, height = size_px
    weights = np.zeros((height, width), np.float32)
    reach = math.ceil(feather_px)
    for left, top, right, bottom in touched_pixels(xyxy, size_px).tolist():
        if left < right and top < bottom:
            columns = np.arange(max(0, left - reach), min(width, right + reach))
            rows = np.arange(max(0, top - reach), min(height, bottom + reach))
            distance = np.hypot(_distance(columns, left, right), _distance(rows, top, bottom)[:, None])
            window = weights[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            np.maximum(window, (1 - distance / (feather_px + 1)).clip(0), out=window)
    return weights


def weights_within(xyxy: np.ndarray, size_px: tuple[int, int], feather_px: float) -> np.ndarray:
    """(H, W) float32 in [0, 1]: 0 outside the pixels that one (4,) box touches, rising to 1 over `feather_px` inside.

    Sides that lie on the picture's border are not softened.

    >>> weights_within(np.array([0, 0, 3, 1]), (4, 1), 1).tolist()
    [[1.0, 1.0, 0.5, 0.0]]
    """
    width, height = size_px
    left, top, right, bottom = touched_pixels(xyxy[None], size_px)[0].tolist()
    depth = np.minimum(
        _depth(np.arange(width), left, right, width), _depth(np.arange(height), top, bottom, height)[:, None]
    )
    return (depth / (feather_px + 1)).clip(0, 1).astype(np.float32)


def blend(first: Image.Image, second: Image.Image, weights: np.ndarray) -> Image.Image:
    """`first` where the (H, W) `weights` are 1, bit for bit, `second` where they are 0, a mixture in between."""
    share = weights[..., None]
    mixed = share * np.asarray(first, np.float32) + (1 - share) * np.asarray(second, np.float32)
    return Image.fromarray(mixed.round().astype(np.uint8))


def _distance(pixels: np.ndarray, start: int, end: int) -> np.ndarray:
    """Of each pixel to the nearest of those from `start` to before `end`."""
    return np.maximum(start - pixels, pixels - end + 1).clip(0)


def _depth(pixels: np.ndarray, start: int, end: int, length: int) -> np.ndarray:
    """Pixels to the first one outside `start` to before `end`; none lies beyond the picture's border."""
    return np.minimum(
        pixels - start + 1 if start > 0 else np.inf,
        end - pixels if end < length else np.full(len(pixels), np.inf),
    )
