"""A folder per class, with or without folders per split above them."""

import os
from collections.abc import Callable
from pathlib import Path

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.ingestion.source import SPLIT_NAMES, Candidate, Listing, UnreadableError

SYSTEM_FILES = ("thumbs.db", "desktop.ini")


def list_image_folder(root: Path, max_file_megabytes: float) -> Listing:
    """Every file below `root`: `<class>/…` or `<split>/<class>/…`; deeper folders belong to the class."""
    root = root.resolve()
    folders = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    has_splits = bool(folders) and all(path.name.lower() in SPLIT_NAMES for path in folders)
    depth = 2 if has_splits else 1
    candidates: list[Candidate] = []
    refused: dict[str, str] = {}
    for path in _walk(root):
        name = path.relative_to(root).as_posix()
        parts = path.relative_to(root).parts
        if path.name.startswith(".") or path.name.lower() in SYSTEM_FILES:
            refused[name] = "a hidden or system file"
        elif path.is_dir():
            refused[name] = "a link to a folder; folders are not followed through links"
        elif not path.resolve().is_relative_to(root):
            refused[name] = "a link that leaves the dataset folder"
        elif len(parts) <= depth:
            refused[name] = "not inside a class folder"
        else:
            candidates.append(
                Candidate(
                    image_id=name,
                    label=parts[depth - 1],
                    split=SPLIT_NAMES[parts[0].lower()] if has_splits else None,
                    read=_reader(path, max_file_megabytes),
                    path=str(path),
                )
            )
    if not candidates:
        raise DatasetFormatError(
            f"{root} holds no files inside class folders; expected <class>/<image> or <split>/<class>/<image>, "
            f"found {', '.join(sorted(path.name for path in root.iterdir())[:8]) or 'nothing'}."
        )
    return Listing("image_folder", candidates, refused)


def _walk(root: Path) -> list[Path]:
    """All files, and links to folders, in a stable order."""
    found = []
    for folder, subfolders, files in os.walk(root):
        subfolders.sort()
        found += [Path(folder, name) for name in files]
        found += [Path(folder, name) for name in subfolders if Path(folder, name).is_symlink()]
    return sorted(found)


def _reader(path: Path, max_file_megabytes: float) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            size = path.stat().st_size
            if not path.is_file():
                raise UnreadableError("not an ordinary file")
            if size > max_file_megabytes * 1e6:
                raise UnreadableError(f"{size / 1e6:.0f} MB is more than {max_file_megabytes:g} MB")
            return path.read_bytes()
        except OSError as error:
            raise UnreadableError(f"cannot be read: {error.strerror or error}") from error

    return read
