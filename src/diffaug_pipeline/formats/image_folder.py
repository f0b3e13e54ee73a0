"""A folder per class, with or without folders per split above them."""

from pathlib import Path

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.files import reader, walk
from diffaug_pipeline.formats.source import NOT_A_SPLIT, Candidate, Listing, are_splits, split_of


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
        elif not path.resolve().is_relative_to(root):
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
