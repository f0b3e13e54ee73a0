"""The ledger: one JSON record per run, rewritten as the run proceeds."""

import json
from pathlib import Path
from typing import Any

from kedro_datasets._typing import JSONPreview

from diffaug_pipeline.datasets.artifact import VersionedArtifact
from diffaug_pipeline.datasets.folder import write_whole
from diffaug_pipeline.datasets.locking import Lock


class RunRecordDataset(VersionedArtifact):
    """Unlike the artifacts of a run its record changes while the run lasts; each write replaces the whole file."""

    @staticmethod
    def is_complete(path: Path) -> bool:
        return path.is_file()

    def save(self, data: dict[str, Any]) -> None:
        path = self.path_of(self.save_version)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(data, indent=2, default=str) + "\n")

    def load(self) -> dict[str, Any]:
        return json.loads(self.load_path.read_text())

    def read(self, version: str) -> dict[str, Any]:
        """The record of run `version`, whatever `load` is pinned to."""
        return json.loads(self.path_of(version).read_text())

    def lock(self, version: str) -> Lock:
        """For the process that runs `version`."""
        return Lock(self.staging_root / f"{version}.lock")

    def preview(self) -> JSONPreview:
        return JSONPreview(self.load_path.read_text())
