"""One process at a time."""

import os
import socket
from pathlib import Path

from filelock import FileLock, Timeout

from diffaug_pipeline.datasets.disk import writing_below
from diffaug_pipeline.errors import VersionError

PATIENCE_SECONDS = 0.3
"""Others may hold a lock for an instant, to see whether anybody does, or be about to let it go."""


class Lock:
    """Lets one process past; free again once that process is gone, however it ended."""

    def __init__(self, path: Path):
        self._path = path
        self._owner = path.with_suffix(".owner")
        self._lock = FileLock(path)

    def acquire(self, what: str) -> None:
        """Raises `VersionError` saying `what` is being done, and by whom, if another holds the lock."""
        with writing_below(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=PATIENCE_SECONDS)
                self._owner.write_text(f"process {os.getpid()} on {socket.gethostname()}")
            except Timeout:
                raise VersionError(
                    f"{what} by {self._holder()}; wait for it, stop it, or choose another --run-id."
                ) from None
            except OSError:
                self._lock.release()
                raise

    def _holder(self) -> str:
        try:
            return self._owner.read_text()
        except FileNotFoundError:
            return "another process"

    def is_held(self) -> bool:
        """Whether a process, this one included, holds it; looking takes it for an instant if nobody does."""
        if not self._path.exists():
            return False
        looking = FileLock(self._path, is_singleton=False)
        try:
            looking.acquire(timeout=0)
        except Timeout:
            return True
        looking.release()
        return False

    def release(self) -> None:
        """Lets others past.

        The file goes while the lock is held: whoever has opened it meanwhile finds that it locks nothing any more.
        """
        self._owner.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)
        self._lock.release()
