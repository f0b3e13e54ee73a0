"""A mask drawn by hand, as the boxes that rows to inpaint say what is drawn anew with."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops

from diffaug_pipeline.imaging.options import Fit
from diffaug_pipeline.imaging.preparation import fit_image

TOUCHED = 64
"""Of 255: a pixel of the model's frame that the brush covers by a quarter is drawn anew."""


def join_layers(layers: Sequence[Image.Image], size_px: tuple[int, int]) -> Image.Image:
    """Mode L, `size_px` large: how far any of the RGBA layers covers each pixel."""
    mask = Image.new("L", size_px)
    for layer in layers:
        mask = ImageChops.lighter(mask, layer.getchannel("A").resize(size_px, Image.Resampling.BOX))
    return mask


def mask_boxes(mask: Image.Image, size_px: tuple[int, int], fit: Fit) -> list[list[float]]:
    """(N, 4) boxes that together cover what is white in `mask`, in the frame of `size_px` its picture is fitted to.

    One box per run of pixels in a row.

    >>> mask = Image.fromarray(np.array([[0, 255, 255, 0, 255]], np.uint8))
    >>> mask_boxes(mask, (5, 1), "cover")
    [[1.0, 0.0, 3.0, 1.0], [4.0, 0.0, 5.0, 1.0]]
    """
    drawn = np.asarray(fit_image(mask, size_px, fit).image.convert("L")) >= TOUCHED
    borders = np.diff(drawn.astype(np.int8), axis=1, prepend=0, append=0)
    (rows, starts), (_, ends) = np.nonzero(borders == 1), np.nonzero(borders == -1)
    return np.stack([starts, rows, ends, rows + 1], axis=1).astype(float).tolist()
