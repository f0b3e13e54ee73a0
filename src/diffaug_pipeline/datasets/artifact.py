"""What all our datasets share: staging, one writer at a time, publication by one rename, pinning to a run.

<filepath>/<version>/<name>            a complete version
<filepath>/.staging/<version>/         one being written; survives a crash, so the writer can go on
<filepath>/.staging/<version>.lock     held by the process that writes it, named in `.owner`; free once that is gone
"""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractVersionedDataset, DatasetError, Version

from diffaug_pipeline.datasets.locking import Lock


class VersionedArtifact(AbstractVersionedDataset):
    """Base class; subclasses say when a version is complete and how it is written and read."""

    def __init__(self, *, filepath: str, version: Version | None = None, metadata: dict[str, Any] | None = None):
        if version is None:
            raise DatasetError(f"{filepath}: our datasets are always versioned; add `versioned: true` to the entry.")
        self.metadata = metadata
        self.statistics: dict[str, Any] = {}
        """What the last save did, in figures; goes into the run record."""
        self.is_optional = False
        """Whether a run may do without it."""
        self._is_outdated = False
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

    def path_of(self, version: str) -> Path:
        """Where `version` lies, once it is complete."""
        return Path(self._get_versioned_path(version))

    def has_version(self, version: str) -> bool:
        """Whether `version` is complete."""
        return self.is_complete(self.path_of(version))

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
        return not self._is_outdated and self.is_complete(self.load_path)

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
        lock = Lock(self.staging_root / f"{self.save_version}.lock")
        lock.acquire(f"{self._staged_path} is being written")
        try:
            if self._is_outdated:
                self._withdraw()
            self._get_save_path()
            yield self._staged_path
        finally:
            lock.release()

    @property
    def _staged_path(self) -> Path:
        return self.staging_root / f"{self.save_version}{self._filepath.suffix}"

    def outdate(self) -> None:
        """Makes the version being saved count as missing, for a node that must run again.

        It stays where it is until it is saved anew; finished images and seeds in it are then not made again.
        """
        self._is_outdated = True

    def _withdraw(self) -> None:
        published = self.path_of(self.save_version)
        published.replace(self._staged_path)
        published.parent.rmdir()
        self._is_outdated = False

    def publish(self, staged: Path) -> None:
        """Makes the staged file or folder the complete version, all at once."""
        target = Path(self._get_save_path())
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(target)
