"""Rows of numbers on disk that are found by a key and read from where they lie.

<folder>/identity.json    what the rows are and what makes them: equal identity and key mean an equal row
         keys.parquet     the key of each row
         values.npy       (N, …)
         present.npy      (N,) bool: which rows are there
"""

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.mapped_array import create_mapped_array

IDENTITY, KEYS, VALUES, PRESENT = "identity.json", "keys.parquet", "values.npy", "present.npy"
COPIED_ROWS = 4_096


class KeyedArray:
    """An array in a folder; nothing but the keys is ever held in memory."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._uncommitted: list[np.ndarray] = []

    @classmethod
    def settle(
        cls,
        folder: Path,
        identity: dict[str, Any],
        keys: Sequence[str],
        known: Sequence["KeyedArray"],
        find_row_shape: Callable[[], tuple[int, ...]],
        dtype: type,
    ) -> "KeyedArray":
        """The array of this identity and these keys in `folder`, or a new one; with what `known` ones of its kind hold.

        The shape of a row is only asked for where no known array tells it.
        """
        array = cls(folder)
        if not (array.holds(identity) and array._keys.equals(pd.Index(keys, dtype=array._keys.dtype))):
            row_shape = known[0].row_shape if known else find_row_shape()
            array._create(identity, keys, row_shape, dtype)
            array = cls(folder)
        for other in known:
            with suppress(FileNotFoundError):  # its run may be made again just now
                array.copy_missing(other)
        return array

    def _create(self, identity: dict[str, Any], keys: Sequence[str], row_shape: tuple[int, ...], dtype: type) -> None:
        partial = self._folder.with_name(f".{self._folder.name}")
        for path in (self._folder, partial):
            shutil.rmtree(path, ignore_errors=True)
        partial.mkdir(parents=True)
        (partial / IDENTITY).write_text(json.dumps(identity, indent=2) + "\n")
        pd.DataFrame({"key": list(keys)}).to_parquet(partial / KEYS, index=False)
        for name, shape, kind in ((VALUES, (len(keys), *row_shape), dtype), (PRESENT, (len(keys),), bool)):
            create_mapped_array(partial / name, kind, shape)
        partial.rename(self._folder)

    def holds(self, identity: dict[str, Any]) -> bool:
        """Whether its rows are of this kind; an array that is not there holds nothing."""
        path = self._folder / IDENTITY
        return path.is_file() and json.loads(path.read_text()) == identity

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Of one row."""
        return self._open(VALUES).shape[1:]

    def missing(self) -> np.ndarray:
        """(M,) the rows that are not there yet."""
        return np.flatnonzero(~self._open(PRESENT))

    def find(self, keys: Sequence[str]) -> np.ndarray:
        """(N,) the row of each key, -1 where it is unknown or not there yet."""
        rows = self._keys.get_indexer(list(keys))
        known = rows >= 0
        rows[known] = np.where(self._open(PRESENT)[rows[known]], rows[known], -1)
        return rows

    def read(self, rows: np.ndarray) -> np.ndarray:
        """(N, …) the values of N rows."""
        return np.asarray(self._open(VALUES)[rows])

    def write(self, rows: np.ndarray, values: np.ndarray) -> None:
        """Writes rows, which are present from the next `commit` on."""
        self._open(VALUES, "r+")[rows] = values
        self._uncommitted.append(rows)

    def commit(self) -> None:
        """Sees what was written safely onto the disk, which takes milliseconds, and then counts it as present."""
        if self._uncommitted:
            self._open(VALUES, "r+").flush()
            self._open(PRESENT, "r+")[np.concatenate(self._uncommitted)] = True
            self._uncommitted.clear()

    def copy_missing(self, other: "KeyedArray") -> None:
        """Writes those missing rows that `other` has."""
        rows = self.missing()
        theirs = other.find(self._keys[rows])
        rows, theirs = rows[theirs >= 0], theirs[theirs >= 0]
        for start in range(0, len(rows), COPIED_ROWS):
            part = slice(start, start + COPIED_ROWS)
            self.write(rows[part], other.read(theirs[part]))
        self.commit()

    @cached_property
    def _keys(self) -> pd.Index:
        return pd.Index(pd.read_parquet(self._folder / KEYS)["key"])

    def _open(self, name: str, mode: str = "r") -> np.ndarray:
        # Opened anew for each access: pages that a lasting map has touched would count as this process's memory.
        return np.load(self._folder / name, mmap_mode=mode)


def find_arrays(identity: dict[str, Any], sets: Sequence[Path]) -> list[Path]:
    """The folders inside those of `sets` that hold arrays of this identity."""
    folders = [folder for path in sets if path.is_dir() for folder in sorted(path.iterdir())]
    return [folder for folder in folders if KeyedArray(folder).holds(identity)]
