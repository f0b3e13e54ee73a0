"""Files against the checksums that were taken when they were written."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

Digest: TypeAlias = Callable[[Path], str]
"""SHA-256 of a file, as hex digits."""


def sha256_of(path: Path) -> str:
    """Hex digest of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksums(folder: Path, *, but: str) -> dict[str, str]:
    """SHA-256 of each file below `folder` except the one called `but`, by relative path, sorted."""
    return {name: sha256_of(folder / name) for name in files_below(folder) if name != but}


def files_below(folder: Path) -> list[str]:
    """Relative paths of the files below `folder`, sorted."""
    return [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]


def differences(folder: Path, recorded: Mapping[str, str], digest: Digest = sha256_of) -> list[str]:
    """One sentence per recorded file that is missing, cannot be read or has another checksum."""
    problems = []
    for name, checksum in recorded.items():
        path = folder / name
        try:
            if not path.is_file():
                problems.append(f"{path} is missing")
            elif digest(path) != checksum:
                problems.append(f"{path} has changed since it was written")
        except OSError as error:
            problems.append(f"{path} cannot be read ({error.strerror})")
    return problems


def additions(folder: Path, known: Iterable[str]) -> list[str]:
    """One sentence per file below `folder` that is not among the `known`, which are relative paths."""
    return [
        f"{folder / name} was not there when the rest was written" for name in files_below(folder) if name not in known
    ]
