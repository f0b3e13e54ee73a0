"""One process at a time."""

import os
import socket
from pathlib import Path

from filelock import FileLock, Timeout

from diffaug_pipeline.errors import VersionError


class Lock:
    """Lets one process past; free again once that process is gone, however it ended."""

    def __init__(self, path: Path):
        self._path = path
        self._owner = path.with_suffix(".owner")
        self._lock = FileLock(path)

    def acquire(self, what: str) -> None:
        """Raises `VersionError` saying `what` is being done, and by whom, if another holds the lock."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            holder = self._owner.read_text() if self._owner.exists() else "another process"
            raise VersionError(f"{what} by {holder}; wait for it, stop it, or choose another --run-id.") from None
        self._owner.write_text(f"process {os.getpid()} on {socket.gethostname()}")

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
        """Lets others past."""
        self._owner.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)
        self._lock.release()
