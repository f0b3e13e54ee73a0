"""What all our datasets share: staging, one writer at a time, publication by one rename, pinning to a run.

<filepath>/<version>/<name>            a complete version
<filepath>/.staging/<version>/         one being written; survives a crash, so the writer can go on
<filepath>/.staging/<version>.lock     who is writing it
"""

import json
import os
import socket
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractVersionedDataset, DatasetError, Version

from diffaug_pipeline.errors import VersionError


class VersionedArtifact(AbstractVersionedDataset):
    """Base class; subclasses say when a version is complete and how it is written and read."""

    def __init__(self, *, filepath: str, version: Version | None = None, metadata: dict[str, Any] | None = None):
        if version is None:
            raise DatasetError(f"{filepath}: our datasets are always versioned; add `versioned: true` to the entry.")
        self.metadata = metadata
        self.statistics: dict[str, Any] = {}
        """What the last save did, in figures; goes into the run record."""
        super().__init__(PurePosixPath(filepath), version, exists_function=lambda path: self.is_complete(Path(path)))

    @staticmethod
    @abstractmethod
    def is_complete(path: Path) -> bool:
        """Whether `path` holds a whole version."""

    @property
    def load_path(self) -> Path:
        """Where the version that `load` reads lies."""
        return Path(self._get_load_path())

    @property
    def save_version(self) -> str:
        """The version `save` writes."""
        return str(self.resolve_save_version())

    def has_version(self, version: str) -> bool:
        """Whether `version` is complete."""
        return self.is_complete(Path(self._get_versioned_path(version)))

    def pin(self, version: str) -> None:
        """Makes `version` the one `load` reads."""
        self._version = Version(load=version, save=self._version.save)
        self._clear_version_cache()

    def _get_versions(self) -> list[str]:
        """Complete versions, last published first: a run id need not sort by time."""
        candidates = [path / self._filepath.name for path in Path(self._filepath).glob("[!.]*")]
        complete = [path for path in candidates if self.is_complete(path)]
        return [str(path) for path in sorted(complete, key=lambda path: (path.stat().st_mtime_ns, path), reverse=True)]

    def _exists(self) -> bool:
        return self.is_complete(self.load_path)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}

    @property
    def staging_root(self) -> Path:
        """Holds the versions being written or left by a crash."""
        return Path(self._filepath) / ".staging"

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A path for the version being saved, ours alone until the block ends.

        What a crashed writer of the same version left there is still there.
        """
        version = self.resolve_save_version()
        self._get_save_path()
        self.staging_root.mkdir(parents=True, exist_ok=True)
        lock = self.staging_root / f"{version}.lock"
        _acquire(lock)
        try:
            yield self.staging_root / f"{version}{self._filepath.suffix}"
        finally:
            lock.unlink(missing_ok=True)

    def publish(self, staged: Path) -> None:
        """Makes the staged file or folder the complete version, all at once."""
        target = Path(self._get_save_path())
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(target)


def _acquire(lock: Path) -> None:
    """Creates `lock` naming this process; takes over one whose process is gone."""
    ours = {"pid": os.getpid(), "host": socket.gethostname()}
    while True:
        try:
            with lock.open("x") as file:
                json.dump(ours, file)
            return
        except FileExistsError:
            owner = _read_owner(lock)
            if owner is not None and _is_running(owner):
                raise VersionError(
                    f"{lock.with_suffix('')} is being written by process {owner['pid']} on {owner['host']}; "
                    "wait for it, stop it, or choose another --run-id."
                ) from None
            lock.unlink(missing_ok=True)


def _read_owner(lock: Path) -> dict[str, Any] | None:
    try:
        return json.loads(lock.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def _is_running(owner: dict[str, Any]) -> bool:
    """Processes of other hosts cannot be asked and count as running; our own process is no stranger to itself."""
    if owner["host"] != socket.gethostname():
        return True
    if owner["pid"] == os.getpid():
        return False
    try:
        os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
