"""A folder per class, with or without folders per split above them."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.files import is_inside, reader, walk
from diffaug_pipeline.formats.image_files import export_into
from diffaug_pipeline.formats.source import NOT_A_SPLIT, Candidate, Listing, are_splits, split_of
from diffaug_pipeline.imaging.image_set import ImageSet

UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\\\:*?"<>|]+')
"""What one system or another takes for more than part of a name."""
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names of devices on Windows."""
LONGEST_FOLDER_BYTES = 120


def list_image_folder(root: Path, max_file_megabytes: float) -> Listing:
    """Every file below `root`: `<class>/…` or `<split>/<class>/…`; deeper folders belong to the class."""
    if not root.is_dir():
        raise DatasetFormatError(f"{root} is a file; an image folder is a folder with a folder per class.")
    root = root.resolve()
    has_splits = are_splits(split_of(path.name) for path in root.iterdir() if path.is_dir())
    depth = 2 if has_splits else 1
    candidates: list[Candidate] = []
    refused: dict[str, str] = {}
    for path, problem in walk(root):
        parts = path.relative_to(root).parts
        name = "/".join(parts).encode(errors="replace").decode()
        split = split_of(parts[0]) if has_splits else None
        if problem is not None:
            refused[name] = problem
        elif name != "/".join(parts):
            refused[name] = "the name is not valid UTF-8"
        elif not is_inside(path, root):
            refused[name] = "a link that leaves the dataset folder"
        elif has_splits and split is None and len(parts) > 1:
            refused[parts[0]] = NOT_A_SPLIT
        elif len(parts) <= depth:
            refused[name] = "not inside a class folder"
        else:
            read = reader(path, max_file_megabytes)
            candidates.append(Candidate(name, parts[depth - 1], split, read, str(path)))
    if not candidates:
        raise DatasetFormatError(
            f"{root} holds no files inside class folders; expected <class>/<image> or <split>/<class>/<image>, "
            f"found {', '.join(sorted(path.name for path in root.iterdir())[:8]) or 'nothing'}."
        )
    return Listing("image_folder", candidates, refused)


def write_image_folder(images: ImageSet, folder: Path) -> dict[str, Path]:
    """`<split>/<class>/…`; returns the file of each image_id.

    A class that has images in one split has a folder in all: libraries number classes by the folders they find.
    """
    folders = class_folders(images.class_names)
    for split in images.index["split"].unique():
        for name in folders.values():
            (folder / split / name).mkdir(parents=True, exist_ok=True)
    places = zip(images.index["split"], images.index["label"], strict=True)
    return export_into(images, [folder / split / folders[label] for split, label in places])


def class_folders(class_names: Iterable[str]) -> dict[str, str]:
    """A folder name for each class, all different on systems that know no case; letters of all languages stay.

    >>> class_folders(["T-shirt/top", "t-shirt:top", "Stra\u00dfe", ".."])
    {'T-shirt/top': 'T-shirt_top', 't-shirt:top': 't-shirt_top-2', 'Stra\u00dfe': 'Stra\u00dfe', '..': 'class'}
    """
    folders: dict[str, str] = {}
    for name in class_names:
        folder = candidate = _safe_folder(name)
        number = 1
        while candidate.casefold() in {taken.casefold() for taken in folders.values()}:
            number += 1
            candidate = f"{folder}-{number}"
        folders[name] = candidate
    return folders


def _safe_folder(name: str) -> str:
    safe = UNSAFE.sub("_", unicodedata.normalize("NFC", name)).encode()[:LONGEST_FOLDER_BYTES].decode(errors="ignore")
    safe = safe.strip(". ") or "class"
    return f"{safe}_" if RESERVED.fullmatch(safe) else safe
