"""Detectors that judge synthetic scenes: cross-fitted, so that none has seen the real image a scene was made from."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.detection.options import DetectionTrainingOptions, ReferenceOptions
from diffaug_pipeline.detection.prediction import predict
from diffaug_pipeline.detection.training import DetectionTask, describe_training, prepare_training, train_seed
from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.seeding import derive_seed
from diffaug_pipeline.training.seeds import CONFIG, TrainedSeed, train_all_seeds

FOLDS = "folds"


def train_references(
    real_images: ImageSet,
    training: DetectionTrainingOptions,
    references: ReferenceOptions,
    needed: bool,
    folder: Path,
) -> None:
    """Fills `folder` (see `training.seeds`) with a network per fold of the real training images, trained on the others.

    Unless they are `needed` there are none.
    """
    if not needed:
        (folder / CONFIG).write_text(json.dumps({FOLDS: {}}))
        return
    train = real_images.where(split="train")
    if references.folds > len(train):
        raise ParameterError(
            f"detection.references.folds is {references.folds}, but there are {len(train)} training images; lower it, "
            "or switch off filtering.detector_agreement and undeclared_objects."
        )
    training_set = ImageSet(train.index.assign(sampling_weight=1 / len(train), loss_weight=1.0))
    options = training.model_copy(
        update={
            "steps": references.steps,
            "warmup_steps": min(training.warmup_steps, references.steps // 4),
            "seeds": list(range(references.folds)),
            "evaluations": 1,
        }
    )
    fold_of = assign_folds(train.index["image_id"], references.folds)
    config = describe_training(training_set, real_images, options) | {FOLDS: fold_of}
    outside = partial(_train_outside, fold_of=np.array(list(fold_of.values())))
    prepare = partial(prepare_training, training_set, real_images, options, outside)
    train_all_seeds(config, options, choose_device(options.device), folder, prepare)


def assign_folds(image_ids: pd.Series, folds: int) -> dict[str, int]:
    """The fold of each image, as equal in size as can be, by the rank of a hash.

    >>> sorted(assign_folds(pd.Series(["a", "b", "c", "d"]), 2).values())
    [0, 0, 1, 1]
    """
    order = sorted(image_ids, key=lambda image_id: derive_seed(0, "fold", image_id))
    rank = {image_id: position for position, image_id in enumerate(order)}
    return {image_id: rank[image_id] % folds for image_id in image_ids}


def _train_outside(task: DetectionTask, fold: int, on_step: Callable[[], Any], fold_of: np.ndarray) -> TrainedSeed:
    weights = (fold_of != fold).astype(float)
    return train_seed(replace(task, rows=task.rows.assign(sampling_weight=weights / weights.sum())), fold, on_step)


def detect(
    references: Checkpoint, synthetic_images: ImageSet, real_images: ImageSet, training: DetectionTrainingOptions
) -> pd.DataFrame:
    """`image_id` and `boxes` (see `detection.prediction`) of all scenes and real validation images.

    A scene is shown to the detector of its source's fold; scenes without a source, and validation images, are spread
    over all, so that none judges what it has labelled. Empty where there are no references.
    """
    folds = references.read_json(CONFIG)[FOLDS]
    if not folds:
        return _nothing_found()
    sources = synthetic_images.index.set_index("image_id")["source_image_id"]
    validation = real_images.where(split="val")
    unseen = [*sources.index[sources.isna()], *validation.index["image_id"]]
    judges = {image_id: folds[source] for image_id, source in sources.dropna().items()}
    judges |= {image_id: _nth_detector(image_id, 1, folds) for image_id in unseen}
    tables = [
        _detect_with(judges, references, images, real_images.class_names, training)
        for images in (synthetic_images, validation)
    ]
    return pd.concat(tables, ignore_index=True)


def detect_in_pictures(
    references: Checkpoint, pictures: ImageSet | None, class_names: list[str], training: DetectionTrainingOptions
) -> pd.DataFrame:
    """The same of generated pictures that have no source; each is shown to one detector. Empty for None."""
    if pictures is None:
        return _nothing_found()
    folds = references.read_json(CONFIG)[FOLDS]
    labellers = {image_id: _nth_detector(image_id, 0, folds) for image_id in pictures.index["image_id"]}
    return _detect_with(labellers, references, pictures, class_names, training)


def _nth_detector(image_id: str, nth: int, folds: dict[str, int]) -> int:
    """The `nth` in an order of the detectors that is the image's own."""
    return (derive_seed(0, "judge", image_id) + nth) % (max(folds.values()) + 1)


def _detect_with(
    detectors: dict[str, int],
    references: Checkpoint,
    images: ImageSet,
    class_names: list[str],
    training: DetectionTrainingOptions,
) -> pd.DataFrame:
    found = predict(references, images, class_names, training)
    return found[found["seed"] == found["image_id"].map(detectors)][["image_id", "boxes"]].reset_index(drop=True)


def _nothing_found() -> pd.DataFrame:
    return pd.DataFrame({"image_id": pd.Series(dtype=str), "boxes": pd.Series(dtype=object)})
