"""Fashion-MNIST cut into a pretraining pool and a few-shot task that share no picture.

The task comes from the official test split, the pool from the official training split; pictures that are the same
product shot twice (closer than `min_distance`) are kept out of one side.
"""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.pretraining.captions import CLASS_NAMES, describe
from diffaug_pipeline.pretraining.options import PoolOptions
from diffaug_pipeline.seeding import derive_seed

IMAGE_SIZE_PX = 28
PADDED_SIZE_PX = 32
SPLITS = ("pool_train", "pool_val", "train", "val", "test", "extra", "reserve")
IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def read_pool(options: PoolOptions) -> pd.DataFrame:
    """All Fashion-MNIST images, one row each, with the split they belong to.

    Columns: `source_index` (position in training + test files), `label` (0..9), `class_name`, `pixels` (784 bytes),
    `content_hash` (hex), `tone`, `pattern`, `split` (one of `SPLITS`; "extra" and "reserve" are used for nothing).
    """
    images, labels, official_test = _read_images(options)
    split = _assign_splits(images, labels, official_test, options)
    tone, pattern = describe(images, labels)
    return pd.DataFrame(
        {
            "source_index": np.arange(len(images)),
            "label": labels,
            "class_name": [CLASS_NAMES[label] for label in labels],
            "pixels": [image.tobytes() for image in images],
            "content_hash": [content_hash(image) for image in images],
            "tone": tone,
            "pattern": pattern,
            "split": split,
        }
    )


def content_hash(image: np.ndarray) -> str:
    """Hex digest of the (28, 28) uint8 pixels; padding does not change it."""
    return hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=8).hexdigest()


def padded_images(pool: pd.DataFrame) -> np.ndarray:
    """(N, 32, 32) uint8: the pictures of `pool` with two black pixels around."""
    margin = (PADDED_SIZE_PX - IMAGE_SIZE_PX) // 2
    return np.pad(pictures(pool), ((0, 0), (margin, margin), (margin, margin)))


def pictures(pool: pd.DataFrame) -> np.ndarray:
    """(N, 28, 28) uint8: the pictures of `pool`."""
    return np.frombuffer(b"".join(pool["pixels"]), np.uint8).reshape(-1, IMAGE_SIZE_PX, IMAGE_SIZE_PX)


def _read_images(options: PoolOptions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from torchvision.datasets import FashionMNIST

    root = Path(options.download_folder)
    if options.folder is not None:
        _unpack(Path(options.folder), root / "FashionMNIST" / "raw")
    parts = [FashionMNIST(str(root), train=train, download=options.folder is None) for train in (True, False)]
    images = np.concatenate([part.data.numpy() for part in parts])
    labels = np.concatenate([part.targets.numpy() for part in parts])
    return images, labels, np.arange(len(images)) >= len(parts[0].data)


def _unpack(folder: Path, raw: Path) -> None:
    raw.mkdir(parents=True, exist_ok=True)
    for name in IDX_FILES:
        plain, packed = folder / name, folder / f"{name}.gz"
        if not plain.is_file() and not packed.is_file():
            raise DatasetFormatError(
                f"{folder} has neither {name} nor {name}.gz; point pretraining.pool.folder at the four idx files "
                "of Fashion-MNIST, or set it to null to download them."
            )
        content = plain.read_bytes() if plain.is_file() else gzip.decompress(packed.read_bytes())
        (raw / name).write_bytes(content)


def _assign_splits(
    images: np.ndarray, labels: np.ndarray, official_test: np.ndarray, options: PoolOptions
) -> np.ndarray:
    vectors = images.reshape(len(images), -1).astype(np.float32) / 255
    split = np.where(official_test, "reserve", "pool_train").astype(object)
    order = np.random.default_rng(derive_seed(options.seed, "task")).permutation(len(images))
    taken = np.zeros(0, dtype=int)
    for label in range(len(CLASS_NAMES)):
        candidates = order[(labels[order] == label) & official_test[order]]
        wanted = (
            ["test"] * options.test_images_per_class
            + ["val"] * options.val_images_per_class
            + ["train"] * options.train_images_per_class
            + ["extra"] * options.extra_images_per_class
        )
        distinct = _drop_repeats(vectors, candidates, options.min_distance)[: len(wanted)]
        if len(distinct) < len(wanted):
            raise DatasetFormatError(
                f"class {CLASS_NAMES[label]!r} has {len(distinct)} distinct test images, {len(wanted)} are asked for; "
                "lower the images per class in pretraining.pool."
            )
        split[distinct] = wanted
        taken = np.concatenate([taken, distinct])
    pool = np.flatnonzero(~official_test)
    too_close = _nearest_distance(vectors[pool], vectors[taken]) < options.min_distance
    split[pool[too_close]] = "reserve"
    for label in range(len(CLASS_NAMES)):
        of_class = order[(labels[order] == label) & (split[order] == "pool_train")]
        split[of_class[: options.pool_val_images_per_class]] = "pool_val"
    return split


def _drop_repeats(vectors: np.ndarray, candidates: np.ndarray, min_distance: float) -> np.ndarray:
    """The candidates that are not too close to an earlier one."""
    chosen = vectors[candidates]
    squared = (chosen**2).sum(1)
    distances = (squared[:, None] + squared[None] - 2 * chosen @ chosen.T) / chosen.shape[1]
    repeats = np.tril(distances < min_distance, k=-1).any(1)
    return candidates[~repeats]


def _nearest_distance(queries: np.ndarray, references: np.ndarray, block: int = 2_000) -> np.ndarray:
    """(N,) mean squared difference of each query to its nearest reference."""
    squared = (references**2).sum(1)
    nearest = [
        ((part**2).sum(1)[:, None] + squared[None] - 2 * part @ references.T).min(1)
        for part in np.split(queries, range(block, len(queries), block))
    ]
    return np.concatenate(nearest) / queries.shape[1]
