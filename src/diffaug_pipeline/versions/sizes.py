"""How much files take, and how much deleting them frees: a file that is linked from elsewhere stays."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Size:
    """Of files and folders."""

    files: int
    bytes: int
    """A file that is linked twice counts twice."""
    freed_bytes: int
    """By deleting all of them and nothing else."""


def measure(places: Iterable[Path]) -> Size:
    """Size of files and folders together; links to other places are not followed."""
    files = size = freed = 0
    links: dict[tuple[int, int], int] = {}
    for place in places:
        for found in _files(place):
            files, size = files + 1, size + found.st_size
            seen = 1
            if found.st_nlink > 1:
                identity = (found.st_dev, found.st_ino)
                seen = links[identity] = links.get(identity, 0) + 1
            if seen == found.st_nlink:
                freed += found.st_size
    return Size(files, size, freed)


def _files(place: Path) -> Iterator[os.stat_result]:
    """Of what others delete meanwhile nothing is said."""
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _files(Path(entry.path))
                else:
                    yield entry.stat(follow_symlinks=False)
    except NotADirectoryError:
        yield place.lstat()
    except FileNotFoundError:
        return
