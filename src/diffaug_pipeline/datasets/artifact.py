"""What all our datasets share: staging, one writer at a time, publication by one rename, pinning to a run.

<filepath>/<version>/<name>            a complete version
<filepath>/.staging/<version>/         one being written; survives a crash, so the writer can go on
<filepath>/.staging/<version>.lock     held by the process that writes it, named in `.owner`; free once that is gone
<filepath>/.published                  versions in the order of publication: clocks are set back, copied files are new
<filepath>/.discarded/                 what is being deleted
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import Any

from kedro.io import AbstractVersionedDataset, DatasetError, Version

from diffaug_pipeline.datasets.checksums import Digest, sha256_of
from diffaug_pipeline.datasets.disk import writing_below
from diffaug_pipeline.datasets.locking import Lock
from diffaug_pipeline.errors import VersionError

VERSION_ID = re.compile(r"(?!.*\.(lock|owner)$)[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""Names a folder on any disk, and nothing else that lies beside it."""


class VersionedArtifact(AbstractVersionedDataset):
    """Base class; subclasses say how a version is written and read, and which of its files is written last."""

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
    def seal_of(path: Path) -> Path:
        """The file that makes a version at `path` whole: itself, or what lists the files of a folder."""
        return path

    @classmethod
    def is_complete(cls, path: Path) -> bool:
        """Whether `path` holds a whole version."""
        return cls.seal_of(path).is_file()

    @property
    def digest(self) -> str:
        """SHA-256 of the seal of the version that `load` reads, for the run record: it vouches for all its files."""
        return sha256_of(self.seal_of(self.load_path))

    def verify(self, digest: Digest = sha256_of) -> list[str]:  # noqa: ARG002
        """A sentence for each file of the version that `load` reads which is missing, has changed or was added since.

        A version of one file holds no checksum: the record of the run does (`digest`).
        """
        return []

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
        """Complete versions, last published first; those that no list tells of, by time, after those that one does."""
        places = {version: place for place, version in enumerate(self._published())}
        found = []
        for folder in self.root.glob("[!.]*"):
            path = folder / self._filepath.name
            with suppress(FileNotFoundError):  # deleted meanwhile
                if self.is_complete(path):
                    found.append((places.get(folder.name, -1), path.stat().st_mtime_ns, str(path)))
        return [path for *_, path in sorted(found, reverse=True)]

    def _published(self) -> list[str]:
        return self._order.read_text().split("\n") if self._order.exists() else [""]

    def list_as_published(self) -> None:
        """Makes the version being saved the last one, once it is complete."""
        *_, unfinished = listed = self._published()
        if listed[-2:] != [self.save_version, ""]:
            with self._order.open("a") as order:
                order.write(f"\n{self.save_version}\n" if unfinished else f"{self.save_version}\n")

    @property
    def _order(self) -> Path:
        return self.root / ".published"

    def _exists(self) -> bool:
        return not self._is_outdated and self.is_complete(self.load_path)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}

    @property
    def root(self) -> Path:
        """Holds all versions."""
        return Path(self._filepath)

    @property
    def staging_root(self) -> Path:
        """Holds the versions being written or left by a crash."""
        return self.root / ".staging"

    def lock(self, version: str) -> Lock:
        """For the process that writes `version`. Raises `VersionError` if a new version cannot be called so."""
        present = {path.name for path in self.root.glob("[!.]*")}
        if version not in present:
            check_new_version(version, present)
        return Lock(self.staging_root / f"{version}.lock")

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A path for the version being saved, ours alone until the block ends.

        What a crashed writer of the same version left there is still there.
        """
        lock = self.lock(self.save_version)
        lock.acquire(f"{self._staged_path} is being written")
        try:
            with writing_below(self.root):
                if self._is_outdated:
                    self._withdraw()
                self._get_save_path()
                yield self._staged_path
        finally:
            lock.release()

    @property
    def _staged_path(self) -> Path:
        return self.staged_path_of(self.save_version)

    def staged_path_of(self, version: str) -> Path:
        """Where `version` lies while it is written."""
        return self.staging_root / f"{version}{self._filepath.suffix}"

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
        self.list_as_published()
        staged.replace(target)

    def staged_versions(self) -> set[str]:
        """Those being written or left by a crash."""
        suffix = self._filepath.suffix
        found = self.staging_root.glob(f"[!.]*{suffix}")
        return {path.name.removesuffix(suffix) for path in found if path.suffix not in (".lock", ".owner")}

    @property
    def discarded_root(self) -> Path:
        """Holds what is being deleted, or was when a process died."""
        return self.root / ".discarded"

    def discard(self, path: Path) -> None:
        """Takes what lies at `path` below the root out of sight, all at once; `delete_discarded` deletes it."""
        with writing_below(self.root):
            self.discarded_root.mkdir(exist_ok=True)
            path.rename(Path(mkdtemp(dir=self.discarded_root)) / path.name)

    def delete_discarded(self) -> None:
        """Also what a process that died has left; links are deleted, never what they point at."""
        if self.discarded_root.exists():
            shutil.rmtree(self.discarded_root)


def check_new_version(version: str, present: set[str]) -> None:
    """Raises `VersionError` if `version` cannot name a folder beside those of the `present` versions everywhere."""
    if not VERSION_ID.fullmatch(version):
        raise VersionError(
            f"run id {version!r} cannot name a folder everywhere; use at most 100 letters, digits, '.', '_' and '-', "
            "the first a letter or a digit, and neither .lock nor .owner at the end."
        )
    if same := [other for other in sorted(present) if other.lower() == version.lower()]:
        raise VersionError(
            f"run id {version!r} and {same[0]!r}, which exists, differ in upper and lower case alone, which not every "
            "disk tells apart; choose another --run-id."
        )
