"""Thumbnails in few pixels, whole and cropped, as vectors: similar pictures are found by multiplying matrices."""

from itertools import product

import numpy as np

from diffaug_pipeline.imaging.thumbnails import THUMBNAIL_PX

COARSE_PX = 16
CROPPED = 0.05
"""Share of a side that the larger crops cut off."""
CROPS = (*product((0.0, CROPPED), repeat=4), (CROPPED / 2,) * 4)
"""Shares that each crop cuts off left, top, right and bottom; the first is the whole picture. With the one in the
middle of the others, no crop of up to 5 % is far from one of them."""


def coarse_vectors(thumbnails: np.ndarray) -> np.ndarray:
    """(17, N, 256) float32 unit vectors of mean 0: the `CROPS` of (N, 64, 64) thumbnails in 16x16 pixels.

    One without contrast becomes the vector of equal parts, which is like itself and at right angles to all others.
    """
    pixels = thumbnails.astype(np.float32)
    reduced = [rows @ pixels @ columns.T for rows, columns in AVERAGING]
    vectors = np.stack(reduced).reshape(len(CROPS), len(pixels), COARSE_PX**2)
    vectors -= vectors.mean(2, keepdims=True)
    norms = np.linalg.norm(vectors, axis=2, keepdims=True)
    vectors /= np.maximum(norms, 1)
    vectors[norms[..., 0] < 1] = 1 / COARSE_PX
    return vectors


def _averaging(before: float, after: float) -> np.ndarray:
    """(16, 64) weights that average a side, less the shares cut off `before` and `after`, into 16 pixels."""
    edges = THUMBNAIL_PX * np.linspace(before, 1 - after, COARSE_PX + 1)
    pixels = np.arange(THUMBNAIL_PX)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return (overlap.clip(0) / (edges[1] - edges[0])).astype(np.float32)


AVERAGING = tuple((_averaging(top, bottom), _averaging(left, right)) for left, top, right, bottom in CROPS)
"""For rows and for columns, of each crop."""
