"""Parquet files as the Hugging Face hub stores image datasets: an image column with bytes, a label column."""

import json
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.files import LEAVES, files_below, is_inside, printable
from diffaug_pipeline.formats.source import (
    NOT_A_SPLIT,
    Candidate,
    Listing,
    UnreadableError,
    are_splits,
    split_of,
)
from diffaug_pipeline.imaging.image_set import EncodedImage

IMAGE_COLUMNS = ("image", "img", "picture")
LABEL_COLUMNS = ("label", "labels", "class", "class_name", "category")
ROWS_READ_TOGETHER, BYTES_READ_TOGETHER = 128, 64_000_000


def list_parquet(root: Path, max_file_megabytes: float) -> Listing:
    """Every row of one parquet file, or of all below a folder.

    `train-….parquet`, or a folder called train above the file, names the split; files of other splits are left out.
    """
    base = (root.parent if root.is_file() else root).resolve()
    found = [base / root.name] if root.is_file() else files_below(base, [".parquet"])
    files = [file for file in found if root.is_file() or is_inside(file, base)]
    if not files:
        raise DatasetFormatError(f"{root} holds no .parquet files.")
    named = {file: split_of(file.stem) or _split_of_folders(file, base) for file in files}
    has_splits = are_splits(named.values())
    candidates: list[Candidate] = []
    refused = {file.relative_to(base).as_posix(): LEAVES for file in found if file not in files}
    for file in files:
        if has_splits and named[file] is None:
            refused[file.relative_to(base).as_posix()] = NOT_A_SPLIT
            continue
        rows = RowReader(file)
        for row, (label, problem) in enumerate(_labels(file)):
            image_id = f"{file.relative_to(base).with_suffix('').as_posix()}/{row:06d}"
            if problem is not None:
                refused[image_id] = problem
                continue
            candidates.append(
                Candidate(
                    image_id=image_id,
                    label=label,
                    split=named[file] if has_splits else None,
                    read=lambda rows=rows, row=row: rows.read(row, max_file_megabytes),
                    path=None,
                    location=(str(file), row),
                )
            )
    return Listing("parquet", candidates, refused)


class Unpacker:
    """Hands out the pictures of plan rows, byte for byte as they lie in their parquet files."""

    def __init__(self) -> None:
        self._readers: dict[str, RowReader] = {}

    def __call__(self, rows: pd.DataFrame) -> list[EncodedImage]:
        """One picture per row, which names `source_file`, `source_row` and `suffix`."""
        for file in rows["source_file"].unique():
            self._readers.setdefault(file, RowReader(Path(file)))
        return [
            EncodedImage(self._readers[row.source_file].read(int(row.source_row), float("inf")), row.suffix)
            for row in rows.itertuples()
        ]


class RowReader:
    """Reads the image column a few rows at a time, fastest front to back. Safe to share by threads.

    Damage in a row group costs the rows from there to its end, whatever the order they are asked for in.
    """

    def __init__(self, file: Path):
        self._file = file
        self._lock = Lock()
        self._group: int | None = None
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._next_row = 0
        self._recent: deque[tuple[int, pa.Array]] = deque(maxlen=2)
        self._damaged_from: dict[int, tuple[int, str]] = {}

    @cached_property
    def _starts(self) -> list[int]:
        """First row of each row group, and the number of rows behind them."""
        with pq.ParquetFile(self._file) as table:
            sizes = [table.metadata.row_group(group).num_rows for group in range(table.num_row_groups)]
        return [0, *accumulate(sizes)]

    def read(self, row: int, max_file_megabytes: float) -> bytes:
        """The bytes in one row; raises `UnreadableError` where there are none to be had."""
        with self._lock:
            cell = self._cell(row).as_py()
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        if not isinstance(content, bytes) or not content:
            raise UnreadableError("the row holds no image bytes")
        if len(content) > max_file_megabytes * 1e6:
            raise UnreadableError(f"{len(content) / 1e6:.0f} MB is more than {max_file_megabytes:g} MB")
        return content

    def _cell(self, row: int) -> pa.Scalar:
        for start, images in self._recent:
            if start <= row < start + len(images):
                return images[row - start]
        group = bisect_right(self._starts, row) - 1
        first_damaged, reason = self._damaged_from.get(group, (row + 1, ""))
        if row >= first_damaged:
            raise UnreadableError(reason)
        if group != self._group or row < self._next_row:
            self._open(group)
        while self._next_row <= row:
            self._read_batch(group)
        start, images = self._recent[-1]
        return images[row - start]

    def _open(self, group: int) -> None:
        table = pq.ParquetFile(self._file)
        column = _column(table, IMAGE_COLUMNS, "image")
        rows = _rows_to_read_together(table.metadata.row_group(group), column)
        self._batches = table.iter_batches(rows, row_groups=[group], columns=[column])
        self._group, self._next_row = group, self._starts[group]

    def _read_batch(self, group: int) -> None:
        try:
            batch = next(self._batches, None)
            problem = "rows are missing" if batch is None else None
        except (pa.ArrowException, OSError) as error:
            problem = " ".join(str(error).split())
        if problem is not None:
            self._group = None
            self._damaged_from[group] = (self._next_row, f"damaged parquet data: {problem}")
            raise UnreadableError(self._damaged_from[group][1])
        self._recent.append((self._next_row, batch.column(0)))
        self._next_row += batch.num_rows


def _rows_to_read_together(group: pq.RowGroupMetaData, column: str) -> int:
    """So many that they take little memory; rows that share values by a dictionary may each hold all of it."""
    parts = [group.column(number) for number in range(group.num_columns)]
    parts = [part for part in parts if part.path_in_schema.split(".")[0] == column]
    total = sum(part.total_uncompressed_size for part in parts)
    shared = any("DICTIONARY" in encoding for part in parts for encoding in part.encodings)
    bytes_per_row = total if shared else total / max(group.num_rows, 1)
    return min(ROWS_READ_TOGETHER, max(1, int(BYTES_READ_TOGETHER / max(bytes_per_row, 1))))


def _split_of_folders(file: Path, base: Path) -> str | None:
    splits = [split_of(part) for part in file.relative_to(base).parts[:-1]]
    return next((split for split in splits if split is not None), None)


def _labels(file: Path) -> Iterator[tuple[str, None] | tuple[None, str]]:
    """Class name, or what is wrong with the label, per row."""
    try:
        table = pq.ParquetFile(file)
        _column(table, IMAGE_COLUMNS, "image")
        column = _column(table, LABEL_COLUMNS, "label")
        names = _class_names(table, column)
        for batch in table.iter_batches(columns=[column]):
            for value in batch.column(0).to_pylist():
                yield _name_of(value, names)
    except DatasetFormatError as error:
        raise DatasetFormatError(f"{file}: {error}") from error
    except (pa.ArrowException, OSError) as error:
        raise DatasetFormatError(f"{file} is no readable parquet file: {error}") from error


def _name_of(value: Any, names: list[str] | None) -> tuple[str, None] | tuple[None, str]:
    if value is None or value == -1:
        return None, "no label"
    if names is None:
        return str(value), None
    if not isinstance(value, int) or not 0 <= value < len(names):
        return None, f"label {value!r} is none of the {len(names)} classes"
    return names[value], None


def _column(table: pq.ParquetFile, usual: tuple[str, ...], what: str) -> str:
    present = table.schema_arrow.names
    for name in usual:
        if name in present:
            return name
    raise DatasetFormatError(
        f"no {what} column among {', '.join(present)}; expected one of {', '.join(usual)}: rename it."
    )


def _class_names(table: pq.ParquetFile, column: str) -> list[str] | None:
    """Names behind integer labels, from the metadata `datasets` writes."""
    described = (table.schema_arrow.metadata or {}).get(b"huggingface")
    if described is None:
        return None
    try:
        names = json.loads(described)["info"]["features"].get(column, {}).get("names")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DatasetFormatError(
            f"its metadata, in which `datasets` keeps the class names, is damaged ({type(error).__name__}); write the "
            "file anew, with class names in the label column."
        ) from error
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DatasetFormatError("its metadata names classes by something that is no text; write the file anew.")
    return [printable(name) for name in names]
