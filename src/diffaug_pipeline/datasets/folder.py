"""Folders that count as existing once their manifest, written last, lists every file with its checksum."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.datasets.artifact import VersionedArtifact
from diffaug_pipeline.datasets.checksums import Digest, additions, checksums, differences, sha256_of

MANIFEST = "manifest.json"


class FolderDataset(VersionedArtifact):
    """Base class of folders that are filled bit by bit, and go on after a crash from what is already there."""

    @staticmethod
    def seal_of(path: Path) -> Path:
        return path / MANIFEST

    def fill(self, fill_folder: Callable[[Path], None]) -> None:
        """Publishes the folder that `fill_folder` fills; after a crash that is given the same folder again."""
        with self.staging() as staged:
            staged.mkdir(exist_ok=True)
            fill_folder(staged)
            write_manifest(staged, {"files": checksums(staged, but=MANIFEST)})
            self.publish(staged)

    def verify(self, digest: Digest = sha256_of) -> list[str]:
        recorded = json.loads((self.load_path / MANIFEST).read_text())["files"]
        return differences(self.load_path, recorded, digest) + additions(self.load_path, {MANIFEST, *recorded})


class CheckpointDataset(FolderDataset):
    """A folder of weights and descriptions.

    What is saved is a function that fills a folder. What is loaded is a `Checkpoint`, a handle on the folder.
    """

    def save(self, data: Callable[[Path], None]) -> None:
        self.fill(data)

    def load(self) -> Checkpoint:
        return Checkpoint(self.load_path)


class ExportedDataset(FolderDataset):
    """A folder made for others to read.

    What is saved is a function that fills a folder, given an empty one even after a crash. What is loaded is its path.
    """

    def save(self, data: Callable[[Path], None]) -> None:
        self.fill(lambda folder: data(_emptied(folder)))

    def load(self) -> Path:
        return self.load_path


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder)
    folder.mkdir()
    return folder


def write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """Writes the manifest; a folder that has one is complete."""
    write_whole(folder / MANIFEST, json.dumps(content, indent=2) + "\n")


def write_whole(path: Path, text: str, modified_ns: int | None = None) -> None:
    """Writes a file all at once: whoever looks sees the old one or the new one, modified now or when it is said."""
    partial = path.with_name(f".{path.name}")
    partial.write_text(text)
    if modified_ns is not None:
        os.utime(partial, ns=(modified_ns, modified_ns))
    partial.replace(path)
