"""Parquet files as the Hugging Face hub stores image datasets: an image column with bytes, a label column."""

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.imaging.image_set import EncodedImage
from diffaug_pipeline.ingestion.source import SPLIT_NAMES, Candidate, Listing, UnreadableError

IMAGE_COLUMNS = ("image", "img", "picture")
LABEL_COLUMNS = ("label", "labels", "class", "class_name", "category")


def list_parquet(root: Path, max_file_megabytes: float) -> Listing:
    """Every row of one parquet file, or of all below a folder; `train-….parquet` and the like name the split."""
    files = [root] if root.is_file() else sorted(root.rglob("*.parquet"))
    base = root.parent if root.is_file() else root
    if not files:
        raise DatasetFormatError(f"{root} holds no .parquet files.")
    split_of = {file: SPLIT_NAMES.get(file.stem.lower().split("-")[0]) for file in files}
    if None in split_of.values() or len(set(split_of.values())) == 1:
        split_of = dict.fromkeys(files)
    candidates: list[Candidate] = []
    refused: dict[str, str] = {}
    for file in files:
        for row, label in enumerate(_labels(file)):
            image_id = f"{file.relative_to(base).with_suffix('').as_posix()}/{row:06d}"
            if label is None:
                refused[image_id] = "no label"
                continue
            candidates.append(
                Candidate(
                    image_id=image_id,
                    label=label,
                    split=split_of[file],
                    read=lambda file=file, row=row: _read_row(str(file), row, max_file_megabytes),
                    path=None,
                    location=(str(file), row),
                )
            )
    return Listing("parquet", candidates, refused)


def unpack_rows(rows: pd.DataFrame) -> list[EncodedImage]:
    """The pictures of plan rows, byte for byte as they lie in their parquet files."""
    return [
        EncodedImage(
            _read_row(row.source_file, int(row.source_row), float("inf")), row.suffix, row.width_px, row.height_px
        )
        for row in rows.itertuples()
    ]


def _labels(file: Path) -> Iterator[str | None]:
    """Class name per row."""
    try:
        table = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise DatasetFormatError(f"{file} is no readable parquet file: {error}") from error
    _column(table, IMAGE_COLUMNS, "image")
    column = _column(table, LABEL_COLUMNS, "label")
    names = _class_names(table, column)
    for batch in table.iter_batches(columns=[column]):
        for value in batch.column(0).to_pylist():
            yield None if value is None or value == -1 else (names[value] if names else str(value))


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
    feature: dict[str, Any] = json.loads(described)["info"]["features"].get(column, {}) if described else {}
    return feature.get("names")


def _read_row(file: str, row: int, max_file_megabytes: float) -> bytes:
    group, first = _group_of(file, row)
    cell = _images_of_group(file, group)[row - first].as_py()
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    if not content:
        raise UnreadableError("the row holds no image bytes")
    if len(content) > max_file_megabytes * 1e6:
        raise UnreadableError(f"{len(content) / 1e6:.0f} MB is more than {max_file_megabytes:g} MB")
    return content


@lru_cache(maxsize=64)
def _group_starts(file: str) -> list[int]:
    metadata = pq.ParquetFile(file).metadata
    starts = [0]
    for group in range(metadata.num_row_groups):
        starts.append(starts[-1] + metadata.row_group(group).num_rows)
    return starts


def _group_of(file: str, row: int) -> tuple[int, int]:
    starts = _group_starts(file)
    group = next(number for number in range(len(starts) - 1) if row < starts[number + 1])
    return group, starts[group]


@lru_cache(maxsize=2)
def _images_of_group(file: str, group: int) -> pa.ChunkedArray:
    table = pq.ParquetFile(file)
    return table.read_row_group(group, columns=[_column(table, IMAGE_COLUMNS, "image")]).column(0)
