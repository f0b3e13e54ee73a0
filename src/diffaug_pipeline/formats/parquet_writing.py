"""Parquet files as the Hugging Face hub stores image datasets; `datasets.load_dataset` opens them as they are."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from diffaug_pipeline.formats.image_files import file_stems, labels_of, portable_files
from diffaug_pipeline.formats.provenance import COLUMNS, tabulate_provenance
from diffaug_pipeline.formats.shards import cut_into_shards
from diffaug_pipeline.imaging.boxes import Boxes, areas
from diffaug_pipeline.imaging.image_set import ImageSet

SPLIT_NAMES = {"train": "train", "val": "validation", "test": "test"}
TARGET_COLUMNS = {"label": "label", "boxes": "objects"}
ROWS_PER_GROUP = 100
"""What a reader holds in memory at least."""
ARROW_TYPES = {"string": pa.string(), "Int64": pa.int64(), "Float64": pa.float64()}
IMAGE_TYPE = pa.struct({"bytes": pa.binary(), "path": pa.string()})
OBJECTS_TYPE = pa.struct(
    {
        "bbox": pa.list_(pa.list_(pa.float64(), 4)),
        "category": pa.list_(pa.int64()),
        "area": pa.list_(pa.float64()),
        "iscrowd": pa.list_(pa.bool_()),
    }
)


def write_parquet(images: ImageSet, folder: Path, shard_megabytes: float) -> None:
    """`data/<split>-00000-of-00001.parquet`, …, with the splits train, validation and test.

    Columns: `image` (bytes of the file, and its name); `label`, or `objects` with `bbox` (left, top, width, height in
    pixels), `category`, `area` and `iscrowd`, true for boxes that neither count as found nor as missed; then the
    provenance (`formats.provenance.COLUMNS`). Equal images give equal bytes.
    """
    names = images.class_names if images.target == "label" else labels_of(images)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for split, split_name in SPLIT_NAMES.items():
        shards = cut_into_shards(images.where(split=split), shard_megabytes)
        for number, shard in enumerate(shards):
            file = folder / "data" / f"{split_name}-{number:05d}-of-{len(shards):05d}.parquet"
            _write_shard(shard, file, names)


def _write_shard(images: ImageSet, file: Path, names: list[str]) -> None:
    schema, pictures = _schema(images.target, names), _pictures(images)
    with pq.ParquetWriter(file, schema) as writer:
        for start in range(0, len(images), ROWS_PER_GROUP):
            rows = ImageSet(images.index.iloc[start : start + ROWS_PER_GROUP].reset_index(drop=True))
            provenance = pa.Table.from_pandas(tabulate_provenance(rows), preserve_index=False)
            content = pa.array(list(islice(pictures, ROWS_PER_GROUP)), IMAGE_TYPE)
            columns = [content, _targets(rows, names), *provenance.columns]
            writer.write_table(pa.table(columns, names=schema.names).cast(schema))


def _pictures(images: ImageSet) -> Iterator[dict[str, Any]]:
    stems = file_stems(images.index["image_id"])
    for stem, file in zip(stems, portable_files(images), strict=True):
        yield {"bytes": file.content, "path": f"{stem}{file.suffix}"}


def _targets(images: ImageSet, names: list[str]) -> pa.Array:
    number_of = {name: number for number, name in enumerate(names)}
    if images.target == "label":
        return pa.array([number_of[label] for label in images.index["label"]], pa.int64())
    return pa.array([_objects(boxes, number_of) for boxes in images.boxes], OBJECTS_TYPE)


def _objects(boxes: Boxes, number_of: dict[str, int]) -> dict[str, Any]:
    left, top, right, bottom = boxes.xyxy.T
    return {
        "bbox": np.stack([left, top, right - left, bottom - top], axis=1).tolist(),
        "category": [number_of[label] for label in boxes.labels],
        "area": areas(boxes.xyxy),
        "iscrowd": boxes.ignored,
    }


def _schema(target: str, names: list[str]) -> pa.Schema:
    """Of the file, with the features that `datasets` looks for in its metadata."""
    types = {
        "image": IMAGE_TYPE,
        TARGET_COLUMNS[target]: pa.int64() if target == "label" else OBJECTS_TYPE,
        **{column: ARROW_TYPES[kind] for column, kind in COLUMNS.items()},
    }
    label = {"names": names, "_type": "ClassLabel"}
    features = {
        "image": {"_type": "Image"},
        TARGET_COLUMNS[target]: label if target == "label" else _features_of_objects(label),
        **{column: _feature(ARROW_TYPES[kind]) for column, kind in COLUMNS.items()},
    }
    return pa.schema(types, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _features_of_objects(label: dict[str, Any]) -> dict[str, Any]:
    return {
        "bbox": _sequence(_sequence(_feature(pa.float64()), 4)),
        "category": _sequence(label),
        "area": _sequence(_feature(pa.float64())),
        "iscrowd": _sequence(_feature(pa.bool_())),
    }


def _sequence(feature: dict[str, Any], length: int = -1) -> dict[str, Any]:
    """The name that old and new versions of `datasets` know."""
    return {"feature": feature, "length": length, "_type": "Sequence"}


def _feature(kind: pa.DataType) -> dict[str, Any]:
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind)), "_type": "Value"}
