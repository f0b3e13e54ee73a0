"""Small gray squares in which pictures of any size and codec can be compared pixel by pixel."""

from collections.abc import Collection

import numpy as np
from PIL import Image

from diffaug_pipeline.imaging.image_set import ImageSet

THUMBNAIL_PX = 64


def thumbnail(image: Image.Image) -> np.ndarray:
    """(64, 64) uint8 gray: the whole picture squeezed to a square, averaged where it is reduced.

    >>> thumbnail(Image.new("RGB", (300, 20), (255, 255, 255))).min()
    np.uint8(255)
    """
    # A triangle filter overshoots nowhere, so that a resized copy does not differ by ringing at its edges.
    return np.asarray(image.convert("L").resize((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BILINEAR))


def thumbnails(images: Collection[Image.Image] | ImageSet) -> np.ndarray:
    """(N, 64, 64) uint8 `thumbnail` of each picture, read one at a time."""
    gray = np.empty((len(images), THUMBNAIL_PX, THUMBNAIL_PX), np.uint8)
    for number, image in enumerate(images):
        gray[number] = thumbnail(image)
    return gray
