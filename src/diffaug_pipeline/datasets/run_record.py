"""The ledger: one JSON record per run, rewritten as the run proceeds."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from filelock import FileLock
from kedro_datasets._typing import JSONPreview

from diffaug_pipeline.datasets.artifact import VersionedArtifact
from diffaug_pipeline.datasets.disk import writing_below
from diffaug_pipeline.datasets.folder import write_whole


class RunRecordDataset(VersionedArtifact):
    """Unlike the artifacts of a run its record changes while the run lasts; each write replaces the whole file.

    The latest is the one that was begun, or gone on with, last.
    """

    def __init__(self, **entry: Any):
        super().__init__(**entry)
        self._is_listed = False

    def save(self, data: dict[str, Any]) -> None:
        path = self.path_of(self.save_version)
        with writing_below(self.root):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not self._is_listed:
                self.list_as_published()
                self._is_listed = True
            write_whole(path, json.dumps(data, indent=2, default=str) + "\n")

    def load(self) -> dict[str, Any]:
        return json.loads(self.load_path.read_text())

    def read(self, version: str) -> dict[str, Any]:
        """The record of run `version`, whatever `load` is pinned to."""
        return json.loads(self.path_of(version).read_text())

    def amend(self, version: str, **additions: Any) -> None:
        """Adds to the record of run `version`, which keeps its place in the order of publication."""
        path = self.path_of(version)
        content = json.dumps(self.read(version) | additions, indent=2) + "\n"
        with writing_below(self.root):
            write_whole(path, content, modified_ns=path.stat().st_mtime_ns)

    @contextmanager
    def settling(self) -> Iterator[None]:
        """While it is settled which versions a run reads, or which are deleted; whoever comes second waits."""
        lock = FileLock(self.root / ".settling.lock")
        with writing_below(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def preview(self) -> JSONPreview:
        return JSONPreview(self.load_path.read_text())
