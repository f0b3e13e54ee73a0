"""What is known about images before they are judged: what models see in them, copies, predictions, detections.

All of it is read from artifacts; judging loads no model.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.features.features import Features
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.image_set import ImageSet

BLOCK = 2048
Detections = Mapping[str, Iterable[dict[str, Any]]]
"""What detectors find in each image: records with `label`, `xyxy`, `confidence`."""


@dataclass(frozen=True)
class Audit:
    """What the audit found among synthetic images (see `auditing.copies.find_copies`)."""

    copies: pd.DataFrame
    """A row per image."""
    calibration: Mapping[str, Any]
    """How often independent real images are taken for copies, among others."""


@dataclass(frozen=True)
class Evidence:
    """What is known about N images, scenes or boxes, row by row; what does not apply to them is None."""

    table: pd.DataFrame
    """`image_id`; `label` of images and boxes; `box`, its number in the image, of boxes."""
    class_names: Sequence[str] = ()
    """What the C columns stand for."""
    cosines: np.ndarray | None = None
    """(N, C) between image and class sentences."""
    probabilities: np.ndarray | None = None
    """(N, C) of the classes, says the scorer."""
    thumbnails: np.ndarray | None = None
    """(N, 64, 64) gray."""
    copies: pd.DataFrame | None = None
    """What the audit says of synthetic ones."""
    predictions: np.ndarray | None = None
    """(N, C) of the classes, say classifiers that have not seen the image, nor its source."""
    images: ImageSet | None = None
    """Which hold the boxes."""
    detections: Detections | None = None

    @property
    def labels(self) -> np.ndarray:
        """(N,) class names."""
        return self.table["label"].to_numpy(dtype=object)

    @property
    def own_columns(self) -> np.ndarray:
        """(N,) the column of each row's own class."""
        columns = {name: column for column, name in enumerate(self.class_names)}
        return np.array([columns[label] for label in self.labels], dtype=int)

    def of_own_class(self, values: np.ndarray) -> np.ndarray:
        """(N,) of (N, C)."""
        return values[np.arange(len(values)), self.own_columns]


def evidence_on_images(
    images: ImageSet, features: Features, copies: pd.DataFrame | None, predictions: pd.DataFrame | None
) -> Evidence:
    """On images with a label; `copies` and `predictions` may hold others too, and are None where no rule needs them.

    Raises `VersionError` if one of the images is not among them.
    """
    vectors, scorer = features.scorer.vectors_of(images), features.scorer
    return Evidence(
        table=images.index[["image_id", "label"]].reset_index(drop=True),
        class_names=scorer.class_names,
        cosines=scorer.cosines(vectors),
        probabilities=scorer.probabilities(vectors),
        thumbnails=features.thumbnails(images),
        copies=None if copies is None else _rows_of(images, copies, "audited for copies"),
        predictions=None if predictions is None else _stacked(_rows_of(images, predictions, "shown to references")),
    )


def evidence_on_scenes(
    images: ImageSet, features: Features, copies: pd.DataFrame | None, detections: Detections
) -> Evidence:
    """On whole scenes; raises like `evidence_on_images`."""
    return Evidence(
        table=images.index[["image_id"]].reset_index(drop=True),
        thumbnails=features.thumbnails(images),
        copies=None if copies is None else _rows_of(images, copies, "audited for copies"),
        images=images,
        detections=detections,
    )


def evidence_on_boxes(images: ImageSet, table: pd.DataFrame, features: Features, detections: Detections) -> Evidence:
    """On the boxes of scenes that are rows of `table` (see `features.crops.list_boxes`)."""
    vectors, scorer = features.scorer.vectors_of_boxes(images, table), features.scorer
    return Evidence(
        table=table.reset_index(drop=True),
        class_names=scorer.class_names,
        cosines=scorer.cosines(vectors),
        probabilities=scorer.probabilities(vectors),
        images=images,
        detections=detections,
    )


def in_blocks(images: ImageSet) -> Iterator[ImageSet]:
    """The same images a few at a time, so that memory stays flat; one block even of none."""
    for start in range(0, max(1, len(images)), BLOCK):
        yield ImageSet(images.index.iloc[start : start + BLOCK].reset_index(drop=True))


def confident(records: Iterable[dict[str, Any]], confidence: float) -> Boxes:
    """The detections that count."""
    return Boxes.of(record | {"ignored": False} for record in records if record["confidence"] >= confidence)


def _rows_of(images: ImageSet, table: pd.DataFrame, done: str) -> pd.DataFrame:
    """The row of each image, in index order; an image without one would pass whatever the rule."""
    ids = images.index["image_id"]
    if missing := sorted(set(ids) - set(table["image_id"])):
        raise VersionError(
            f"{len(missing)} images have not been {done}, e.g. {missing[0]}; run all stages before filtering again."
        )
    return table.set_index("image_id").loc[ids].reset_index()


def _stacked(predictions: pd.DataFrame) -> np.ndarray:
    return np.array(predictions["probabilities"].tolist(), dtype=np.float32)
