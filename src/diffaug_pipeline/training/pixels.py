"""Pictures at the network's input size, decoded once into a file that processes share."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.options import Fit
from diffaug_pipeline.imaging.preparation import Fitted, Frame, fit_image
from diffaug_pipeline.mapped_array import create_mapped_array
from diffaug_pipeline.progress import track


@dataclass(frozen=True)
class PixelFile:
    """(N, 3, S, S) uint8 on disk, mapped into memory when read."""

    path: Path
    frames: list[Frame]
    """Where each picture lies in its pixels."""

    def open(self) -> np.ndarray:
        """The array; pages are read as they are touched."""
        return np.load(self.path, mmap_mode="r")


def decode(images: ImageSet, size_px: int, fit: Fit) -> Iterator[Fitted]:
    """The pictures of `images` in index order at S x S pixels; real and synthetic ones take the same path."""
    for image in track(images, len(images), "decoding", "images"):
        yield fit_image(image, (size_px, size_px), fit)


def as_pixels(fitted: Fitted) -> np.ndarray:
    """(3, S, S) uint8."""
    return np.asarray(fitted.image).transpose(2, 0, 1)


def decode_to_file(images: ImageSet, size_px: int, fit: Fit, path: Path) -> PixelFile:
    """All pictures of `images` in one file."""
    array = create_mapped_array(path, np.uint8, (len(images), 3, size_px, size_px))
    frames = []
    for row, fitted in enumerate(decode(images, size_px, fit)):
        array[row] = as_pixels(fitted)
        frames.append(fitted.frame)
    array.flush()
    return PixelFile(path, frames)
