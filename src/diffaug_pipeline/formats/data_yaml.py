"""`data.yaml`, which names the classes and splits of a YOLO dataset. Its `download:` is never run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.annotated_images import AnnotatedImages
from diffaug_pipeline.formats.files import LEAVES, annotation_files, is_file, is_inside, read_annotations
from diffaug_pipeline.formats.source import as_number

YAML_SUFFIXES = (".yaml", ".yml")
CLASS_LISTS = ("classes.txt", "labels/classes.txt", "images/classes.txt")
NOTHING = ("", "~", "null", "Null", "NULL")
EXPECTED = "expected data.yaml with names, train and val"


@dataclass(frozen=True)
class Description:
    """What `data.yaml` says."""

    file: Path
    content: Mapping[str, Any]
    base: Path
    """The folder that its paths start from."""


def find_descriptions(root: Path) -> list[Path]:
    """`data.yaml`; without one, other YAML files in `root` that name classes or a train split."""
    root = root.resolve()
    files = [file for file in annotation_files(root, YAML_SUFFIXES) if file.parent == root]
    named = [file for file in files if file.stem.lower() == "data"]
    return named or [file for file in files if {"names", "train"} & set(_keys(file))]


def _keys(file: Path) -> list[str]:
    """The keys at the left margin, without parsing the rest."""
    lines = read_annotations(file).decode("utf-8-sig", errors="replace").splitlines()
    return [line.split(":")[0] for line in lines if ":" in line and not line[:1].isspace()]


def describe(root: Path, images: AnnotatedImages) -> Description | None:
    """What the one description in `root` says; None without one. Raises `DatasetFormatError`."""
    files = find_descriptions(root)
    if len(files) > 1:
        raise DatasetFormatError(
            f"{root} holds {' and '.join(file.name for file in files)}; call the one that counts data.yaml."
        )
    if not files:
        return None
    content = _read(files[0])
    if content.get("download") not in (None, *NOTHING):
        images.note(f"{files[0].name}: download: was not run")
    return Description(files[0], content, _base(files[0], content, root, images))


def _read(file: Path) -> Mapping[str, Any]:
    """All scalars as text, so that a class called `no` or `2020-01-01` stays one."""
    text = read_annotations(file)
    try:
        content = yaml.load(text.decode("utf-8-sig"), Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DatasetFormatError(f"{file}, line {line}: no valid YAML ({error.problem}); {EXPECTED}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DatasetFormatError(f"{file}: no valid YAML ({type(error).__name__}); {EXPECTED}.") from error
    if not isinstance(content, dict):
        raise DatasetFormatError(f"{file}, line 1: holds no keys; {EXPECTED}.")
    return content


def _base(file: Path, content: Mapping[str, Any], root: Path, images: AnnotatedImages) -> Path:
    given = content.get("path")
    if given is None or given in NOTHING:
        return file.parent
    path = Path(file.parent, path_in(given, "path", file))
    if not _exists(path):
        images.note(f"{file.name}: path: {given} does not exist here, read relative to the file")
        return file.parent
    if not is_inside(path, root):
        raise DatasetFormatError(
            f"{file}: path: {given} {LEAVES}; remove the line, or set ingestion.dataset to a folder that holds both."
        )
    return path.resolve()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # another user's folder
        return False


def class_names(described: Description | None, root: Path) -> dict[int, str]:
    """Class names by index, from `data.yaml` or `classes.txt`. Raises `DatasetFormatError` without either."""
    if described is not None and (names := _names_in(described)):
        return names
    for name in CLASS_LISTS:
        if is_file(root / name) and is_inside(root / name, root):
            lines = read_annotations(root / name).decode("utf-8-sig", errors="replace").splitlines()
            return {index: line.strip() for index, line in enumerate(lines) if line.strip()}
    where = f"{described.file} names no classes" if described else f"{root} holds no data.yaml and no classes.txt"
    raise DatasetFormatError(f"{where}; add names: to data.yaml, or classes.txt with a class per line.")


def _names_in(described: Description) -> dict[int, str]:
    names = described.content.get("names")
    numbered = names.items() if isinstance(names, dict) else enumerate(names) if isinstance(names, list) else ()
    try:
        known = {int(index): name.strip() for index, name in numbered}
        if not known and "nc" in described.content:
            known = {index: f"class_{index}" for index in range(min(int(described.content["nc"]), 100_000))}
    except (ValueError, TypeError, AttributeError):
        raise DatasetFormatError(
            f"{described.file}: names is neither a list of class names nor one name per class index; write e.g. "
            "names: [cat, dog]."
        ) from None
    return known


def path_in(value: Any, key: str, file: Path) -> str:
    """`value` if it can be a path. Raises `DatasetFormatError`."""
    if not isinstance(value, str) or "\0" in value:
        raise DatasetFormatError(f"{file}: {key} holds a {type(value).__name__}; write a folder, or a list of folders.")
    return value


def key_point_columns(described: Description | None) -> float | None:
    """How many columns a line has in a dataset of key points; None in an ordinary one."""
    shape = described.content.get("kpt_shape") if described else None
    return 5 + float(np.prod([as_number(value) for value in shape])) if isinstance(shape, list) else None
