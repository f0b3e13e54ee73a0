"""The few-shot task that ships with the package, as an ordinary Hugging Face-style parquet dataset."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.pretraining.captions import CLASS_NAMES
from diffaug_pipeline.pretraining.pool import padded_images

HUB_SPLIT_NAMES = {"train": "train", "val": "validation", "test": "test"}


def write_task(pool: pd.DataFrame, folder: Path) -> None:
    """Three parquet files, and the content hashes of the pool that prove it shares no picture with them."""
    for split, hub_name in HUB_SPLIT_NAMES.items():
        rows = pool[pool["split"] == split].sort_values(["label", "content_hash"])
        _write_split(rows, folder / f"{hub_name}-00000-of-00001.parquet")
    in_pool = pool[pool["split"].str.startswith("pool")]
    hashes = np.array(sorted(int(text, 16) for text in in_pool["content_hash"]), dtype=np.uint64)
    np.save(folder / "pool_content_hashes.npy", hashes)


def _write_split(rows: pd.DataFrame, file: Path) -> None:
    pictures = [encode_png(Image.fromarray(image)) for image in padded_images(rows)]
    images = pa.array(
        [
            {"bytes": picture, "path": f"fashion-mnist-{index:05d}.png"}
            for picture, index in zip(pictures, rows["source_index"], strict=True)
        ]
    )
    features = {"image": {"_type": "Image"}, "label": {"names": list(CLASS_NAMES), "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.table({"image": images, "label": pa.array(rows["label"], pa.int64())})
    pq.write_table(table.replace_schema_metadata(metadata), file, row_group_size=500)
