"""A folder per class, with or without folders per split above them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.ingestion.source import (
    NOT_A_SPLIT,
    Candidate,
    Listing,
    UnreadableError,
    are_splits,
    split_of,
)

SYSTEM_NAMES = ("thumbs.db", "desktop.ini", "__macosx")


def list_image_folder(root: Path, max_file_megabytes: float) -> Listing:
    """Every file below `root`: `<class>/…` or `<split>/<class>/…`; deeper folders belong to the class."""
    if not root.is_dir():
        raise DatasetFormatError(f"{root} is a file; an image folder is a folder with a folder per class.")
    root = root.resolve()
    has_splits = are_splits(split_of(path.name) for path in root.iterdir() if path.is_dir())
    depth = 2 if has_splits else 1
    candidates: list[Candidate] = []
    refused: dict[str, str] = {}
    for path, problem in _walk(root):
        parts = path.relative_to(root).parts
        name = "/".join(parts).encode(errors="replace").decode()
        split = split_of(parts[0]) if has_splits else None
        if problem is not None:
            refused[name] = problem
        elif name != "/".join(parts):
            refused[name] = "the name is not valid UTF-8"
        elif not path.resolve().is_relative_to(root):
            refused[name] = "a link that leaves the dataset folder"
        elif has_splits and split is None and len(parts) > 1:
            refused[parts[0]] = NOT_A_SPLIT
        elif len(parts) <= depth:
            refused[name] = "not inside a class folder"
        else:
            reader = _reader(path, max_file_megabytes)
            candidates.append(Candidate(name, parts[depth - 1], split, reader, str(path)))
    if not candidates:
        raise DatasetFormatError(
            f"{root} holds no files inside class folders; expected <class>/<image> or <split>/<class>/<image>, "
            f"found {', '.join(sorted(path.name for path in root.iterdir())[:8]) or 'nothing'}."
        )
    return Listing("image_folder", candidates, refused)


def _walk(root: Path) -> Iterator[tuple[Path, str | None]]:
    """Every file in a stable order, and with a reason what is not looked into or at."""
    unreadable: list[OSError] = []
    for folder, subfolders, files in os.walk(root, onerror=unreadable.append):
        for name in sorted(subfolders):
            if _is_hidden(name):
                yield Path(folder, name), "a hidden or system folder"
            elif Path(folder, name).is_symlink():
                yield Path(folder, name), "a link to a folder; folders are not followed through links"
        subfolders[:] = sorted(name for name in subfolders if not _is_hidden(name))
        for name in sorted(files):
            yield Path(folder, name), "a hidden or system file" if _is_hidden(name) else None
    for error in unreadable:
        yield Path(error.filename), f"cannot be listed: {error.strerror}"


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM_NAMES


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
