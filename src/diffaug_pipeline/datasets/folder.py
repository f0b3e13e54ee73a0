"""Folders that count as existing once their manifest, written last, lists every file with its checksum."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.datasets.artifact import VersionedArtifact

MANIFEST = "manifest.json"
READ_BLOCK_BYTES = 1 << 20


class FolderDataset(VersionedArtifact):
    """Base class of folders that are filled bit by bit, and go on after a crash from what is already there."""

    @staticmethod
    def is_complete(path: Path) -> bool:
        return (path / MANIFEST).is_file()

    def fill(self, fill_folder: Callable[[Path], None]) -> None:
        """Publishes the folder that `fill_folder` fills; after a crash that is given the same folder again."""
        with self.staging() as staged:
            staged.mkdir(exist_ok=True)
            fill_folder(staged)
            write_manifest(staged, {"files": checksums(staged)})
            self.publish(staged)

    def verify(self) -> list[str]:
        """Files that are missing or changed since they were written; empty when all is well."""
        recorded = json.loads((self.load_path / MANIFEST).read_text())["files"]
        return differences(self.load_path, recorded)


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


def sha256_of(path: Path) -> str:
    """Hex digest of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below `folder` but the manifest, by relative path, sorted."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def differences(folder: Path, recorded: dict[str, str]) -> list[str]:
    """One sentence per recorded file that is missing or has another checksum."""
    problems = []
    for name, checksum in recorded.items():
        path = folder / name
        if not path.is_file():
            problems.append(f"{path} is missing")
        elif sha256_of(path) != checksum:
            problems.append(f"{path} has changed since it was written")
    return problems


def write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """Writes the manifest; a folder that has one is complete."""
    write_whole(folder / MANIFEST, json.dumps(content, indent=2) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Writes a file all at once: whoever looks sees the old one or the new one."""
    partial = path.with_name(f".{path.name}")
    partial.write_text(text)
    partial.replace(path)
