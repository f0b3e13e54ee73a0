"""Features without a model, and options, for tests of the measures."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.measures.comparison import Pictures
from diffaug_pipeline.measures.options import MeasureOptions


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def cloud(count: int, seed: int, center: int = 0, spread: float = 0.4, dimensions: int = 12) -> np.ndarray:
    """Unit vectors around an axis; `spread` says how far."""
    vectors = spread * np.random.default_rng(seed).normal(size=(count, dimensions))
    vectors[:, center] += 1
    return unit(vectors)


def modes(count: int, seed: int) -> np.ndarray:
    """As many unit vectors around each of three axes, in turn."""
    vectors = np.stack([cloud(count, 10 * seed + mode, mode, 0.1) for mode in range(3)], axis=1)
    return vectors.reshape(3 * count, -1)


def options(**changes) -> MeasureOptions:
    values = {
        "min_images": 10,
        "max_images": 200,
        "draws": 20,
        "nearest_neighbours": 3,
        "min_images_for_fid": 10_000,
        "confidence": 0.95,
        "seed": 0,
    }
    return MeasureOptions(**values | changes)


def pictures(real: np.ndarray, made: np.ndarray, accepted: np.ndarray | None = None) -> Pictures:
    return Pictures(real, made, np.full(len(made), True) if accepted is None else accepted)


@dataclass
class KnownSpace:
    """A `FeatureSpace` of given vectors, which remembers what it was asked about."""

    model: str
    vectors: dict[str, np.ndarray]
    """By image, of boxes one per box."""
    model_revision: str | None = None
    asked: list[str] = field(default_factory=list)

    def vectors_of(self, images: ImageSet) -> np.ndarray:
        ids = images.index["image_id"].tolist()
        self.asked += ids
        return np.array([self.vectors[image_id] for image_id in ids]).reshape(len(ids), -1)

    def vectors_of_boxes(self, images: ImageSet, table: pd.DataFrame) -> np.ndarray:
        self.asked += table["image_id"].tolist()
        return np.array([self.vectors[row.image_id][row.box] for row in table.itertuples()])


@dataclass
class KnownFeatures:
    """`Features` of two spaces."""

    scorer: KnownSpace
    measure: KnownSpace


def indexed(rows: list[dict], origin: str = "real") -> ImageSet:
    """Images nobody opens; each row says `image_id`, `split`, and `label` or `boxes`."""
    constant = {"path": "none", "width_px": 8, "height_px": 8, "origin": origin, "size_bytes": 0, "sha256": "none"}
    return ImageSet(pd.DataFrame([constant | {"recipe": None} | row for row in rows]))


@dataclass(frozen=True)
class Task:
    """What the node is given."""

    features: KnownFeatures
    real_images: ImageSet
    synthetic_images: ImageSet
    decisions: pd.DataFrame


CLASSES = {"bag": 0, "coat": 1}


def task_of_images() -> Task:
    """30 real and 40 synthetic bags and 30 and 40 coats, every second of these accepted, and one real hat."""
    labels = [label for label in CLASSES for _ in range(30)]
    splits = ["train", "val", "train", "test", "train"] * 12
    real = [
        {"image_id": f"r{number}", "label": label, "split": split}
        for number, (label, split) in enumerate(zip(labels, splits, strict=True))
    ] + [{"image_id": "hat", "label": "hat", "split": "train"}]
    made = [
        {"image_id": f"s{number}", "label": label, "split": "train"}
        for number, label in enumerate(label for label in CLASSES for _ in range(40))
    ]
    vectors = {
        row["image_id"]: cloud(1, number, CLASSES.get(row["label"], 2), 0.3)[0]
        for number, row in enumerate([*real, *made])
    }
    decisions = pd.DataFrame({"image_id": [row["image_id"] for row in made][::-1], "accepted": [False, True] * 40})
    measure, scorer = KnownSpace("another", vectors), KnownSpace("clip", vectors)
    return Task(KnownFeatures(scorer, measure), indexed(real), indexed(made, "synthetic"), decisions)


def task_of_boxes() -> Task:
    """30 real and 30 synthetic scenes with a bag and a coat each, and a box that does not count."""
    boxes = [
        {"label": label, "xyxy": [0.0, 0.0, 4.0, 4.0], "ignored": ignored}
        for label, ignored in (("bag", False), ("coat", True), ("coat", False))
    ]
    splits = ["train", "val", "test"] * 10
    real = [{"image_id": f"r{number}", "boxes": boxes, "split": split} for number, split in enumerate(splits)]
    made = [{"image_id": f"s{number}", "boxes": boxes, "split": "train"} for number in range(30)]
    vectors = {
        row["image_id"]: np.concatenate([cloud(1, 3 * number + k, k, 0.3) for k in range(3)])
        for number, row in enumerate([*real, *made])
    }
    decisions = pd.DataFrame({"image_id": [f"s{number}" for number in range(30)], "accepted": [True, True, False] * 10})
    space = KnownSpace("clip", vectors)
    return Task(KnownFeatures(space, space), indexed(real), indexed(made, "synthetic"), decisions)
