"""Detectors that judge synthetic scenes: cross-fitted, so that none has seen the real image a scene was made from."""

from pathlib import Path

import numpy as np
import pandas as pd

from diffaug_pipeline.average_precision import Detections, Truth, match
from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.detection.options import DetectionTrainingOptions
from diffaug_pipeline.detection.prediction import predict
from diffaug_pipeline.detection.training import train_detectors
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.seeding import derive_seed
from diffaug_pipeline.training.folds import model_outside, read_folds, train_outside_folds
from diffaug_pipeline.training.options import ReferenceOptions


def train_references(
    real_images: ImageSet, training: DetectionTrainingOptions, references: ReferenceOptions, folder: Path
) -> None:
    """Fills `folder` (see `training.folds`) with a YOLO per fold of the real training images, trained on the others."""
    train_outside_folds(train_detectors, real_images, training, references, folder)


def detect(
    references: Checkpoint, synthetic_images: ImageSet, real_images: ImageSet, training: DetectionTrainingOptions
) -> pd.DataFrame:
    """`image_id` and `boxes` (see `detection.prediction`) of all scenes and real validation images.

    A scene is shown to the detector of its source's fold; scenes without a source, and validation images, are spread
    over all, so that none judges what it has labelled.
    """
    fold_of = read_folds(references)
    sources = synthetic_images.index.set_index("image_id")["source_image_id"]
    validation = real_images.where(split="val")
    unseen = [*sources.index[sources.isna()], *validation.index["image_id"]]
    judges = {image_id: fold_of[source] for image_id, source in sources.dropna().items()}
    judges |= {image_id: _nth_detector(image_id, 1, fold_of) for image_id in unseen}
    tables = [
        _detect_with(judges, references, images, real_images.class_names, training)
        for images in (synthetic_images, validation)
    ]
    return pd.concat(tables, ignore_index=True)


def detect_in_pictures(
    references: Checkpoint, pictures: ImageSet, class_names: list[str], training: DetectionTrainingOptions
) -> pd.DataFrame:
    """The same of generated pictures that have no source; each is shown to one detector."""
    fold_of = read_folds(references)
    labellers = {image_id: _nth_detector(image_id, 0, fold_of) for image_id in pictures.index["image_id"]}
    return _detect_with(labellers, references, pictures, class_names, training)


def nothing_found() -> pd.DataFrame:
    """The same of no pictures."""
    return pd.DataFrame({"image_id": pd.Series(dtype=str), "boxes": pd.Series(dtype=object)})


def measure_class_errors(
    references: Checkpoint, real_images: ImageSet, training: DetectionTrainingOptions
) -> pd.DataFrame:
    """`class_name` and `error`: 1 - AP50-95 in [0, 1] on real validation images, the mean of all detectors.

    Classes without a box there have no row.
    """
    validation, class_names = real_images.where(split="val"), real_images.class_names
    truth, once = Truth.of(validation.boxes, class_names), np.ones((1, len(validation)))
    precisions = []
    for fold in sorted(set(read_folds(references).values())):
        found = predict(model_outside(references, fold), validation, class_names, training)
        matches = match(Detections.of(found["boxes"], class_names), truth)
        precisions.append(matches.average_precisions(once)[0].mean(1))
    errors = pd.DataFrame({"class_name": class_names, "error": 1 - np.mean(precisions, axis=0)})
    return errors.dropna(ignore_index=True)


def _nth_detector(image_id: str, nth: int, fold_of: dict[str, int]) -> int:
    """The `nth` in an order of the detectors that is the image's own."""
    return (derive_seed(0, "judge", image_id) + nth) % (max(fold_of.values()) + 1)


def _detect_with(
    detectors: dict[str, int],
    references: Checkpoint,
    images: ImageSet,
    class_names: list[str],
    training: DetectionTrainingOptions,
) -> pd.DataFrame:
    """Each image with its detector, in index order."""
    parts = [nothing_found()]
    chosen = images.index["image_id"].map(detectors)
    for fold, shown in images.index.groupby(chosen):
        found = predict(
            model_outside(references, int(fold)), ImageSet(shown.reset_index(drop=True)), class_names, training
        )
        parts.append(found[["image_id", "boxes"]])
    found = pd.concat(parts).set_index("image_id")["boxes"]
    return found.loc[images.index["image_id"]].reset_index()
