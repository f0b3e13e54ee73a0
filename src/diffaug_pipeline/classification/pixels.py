"""Pictures at the network's input size, decoded once into a file that processes share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import Fit, fit_image
from diffaug_pipeline.progress import track


@dataclass(frozen=True)
class PixelFile:
    """(N, 3, S, S) uint8 on disk, mapped into memory when read."""

    path: Path

    def open(self) -> np.ndarray:
        """The array; pages are read as they are touched."""
        return np.load(self.path, mmap_mode="r")


@contextmanager
def decoded(images: ImageSet, size_px: int, fit: Fit) -> Iterator[PixelFile]:
    """The pictures of `images`, in index order, real and synthetic by the same path; gone when the block ends."""
    with TemporaryDirectory(prefix="diffaug-pixels-") as folder:
        file = PixelFile(Path(folder) / "pixels.npy")
        array = np.lib.format.open_memmap(file.path, "w+", np.uint8, (len(images), 3, size_px, size_px))
        for row, image in enumerate(track(images, len(images), "decoding", "images")):
            array[row] = np.asarray(fit_image(image, (size_px, size_px), fit).image).transpose(2, 0, 1)
        array.flush()
        del array
        yield file
