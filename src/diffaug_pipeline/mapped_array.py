"""Arrays on disk that are written through memory."""

import os
from pathlib import Path

import numpy as np


def create_mapped_array(path: Path, dtype: type, shape: tuple[int, ...]) -> np.memmap:
    """A `.npy` file of zeros, mapped for writing.

    Its place on the disk is taken at once: raises OSError if that is full, where a write through memory that finds no
    room would kill the process without a word.
    """
    array = np.lib.format.open_memmap(path, "w+", dtype, shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array
