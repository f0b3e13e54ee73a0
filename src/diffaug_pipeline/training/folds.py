"""Cross-fitting: a model per fold of the real training images, trained on the others, so that none judges what it saw.

As in Chernozhukov et al. 2018, section 3. A folder of such models holds

    folds.json      the fold of each real training image; empty where no models are needed
    fold_0/         what was trained on the images outside fold 0, see `training.seeds`
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.merging.training_sets import real_only
from diffaug_pipeline.seeding import derive_seed
from diffaug_pipeline.training.options import ReferenceOptions, TrainingLoopOptions

FOLDS = "folds.json"

Train = Callable[[ImageSet, ImageSet, Any, Path], None]
"""Fills a folder with networks trained on a training set, given also all real images and the training options."""


def train_outside_folds(
    train: Train, real_images: ImageSet, training: TrainingLoopOptions, references: ReferenceOptions, folder: Path
) -> None:
    """Fills `folder` with a model per fold; after a crash it goes on with those that are not finished.

    Raises `ParameterError` where a fold would be empty, or leave a class without images to learn from.
    """
    images = real_images.where(split="train").index
    _check_enough(images, references.folds)
    fold_of = assign_folds(images["image_id"], references.folds, images.get("label"))
    (folder / FOLDS).write_text(json.dumps(fold_of))
    for fold in range(references.folds):
        outside = ImageSet(images[images["image_id"].map(fold_of) != fold].reset_index(drop=True))
        (folder / _name(fold)).mkdir(exist_ok=True)
        train(real_only(outside), real_images, _shortened(training, references, fold), folder / _name(fold))


def train_none(folder: Path) -> None:
    """Fills `folder` where nobody asks for models."""
    (folder / FOLDS).write_text(json.dumps({}))


def read_folds(references: Checkpoint) -> dict[str, int]:
    """The fold of each real training image; empty where there are no models."""
    return references.read_json(FOLDS)


def read_config(references: Checkpoint) -> dict[str, Any]:
    """What the models have in common, and the training images of the first; there is at least one."""
    return model_outside(references, 0).read_json("config.json")


def model_outside(references: Checkpoint, fold: int) -> Checkpoint:
    """What was trained without the images of `fold`."""
    return Checkpoint(references.folder / _name(fold))


def assign_folds(image_ids: pd.Series, folds: int, labels: pd.Series | None = None) -> dict[str, int]:
    """The fold of each image, by the rank of a hash; folds are as equal in size as can be, also within each label.

    >>> sorted(assign_folds(pd.Series(["a", "b", "c", "d"]), 2).values())
    [0, 0, 1, 1]
    """
    strata = [""] * len(image_ids) if labels is None else labels
    order = sorted(zip(strata, image_ids, strict=True), key=lambda image: (image[0], derive_seed(0, "fold", image[1])))
    rank = {image_id: position for position, (_, image_id) in enumerate(order)}
    return {image_id: rank[image_id] % folds for image_id in image_ids}


def judging_shares(sources: Iterable[str | None], fold_of: dict[str, int]) -> np.ndarray:
    """(N, F) how much the model of each of F folds counts for N images, given the real image each was made from.

    Where there is a source, all is left to the one model that has not seen it; without one all count alike.

    >>> judging_shares(["a", None], {"a": 0, "b": 1}).tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    folds = max(fold_of.values()) + 1
    choices = np.vstack([np.eye(folds), np.full(folds, 1 / folds)])
    return choices[[folds if pd.isna(source) else fold_of[source] for source in sources]]


def _check_enough(images: pd.DataFrame, folds: int) -> None:
    if folds > len(images):
        raise ParameterError(
            f"references.folds is {folds}, but there are {len(images)} training images; lower it, or switch off what "
            "asks for references."
        )
    if "label" in images:
        counts = images["label"].value_counts()
        if single := sorted(counts.index[counts < 2]):
            raise ParameterError(
                f"{', '.join(single[:5])} has a single training image: the reference model that must not see it would "
                "not know the class; add images, or switch off what asks for references."
            )


def _shortened(training: TrainingLoopOptions, references: ReferenceOptions, fold: int) -> TrainingLoopOptions:
    """A single evaluation, at the end: validation images choose nothing and stay unseen by what is measured on them."""
    return training.model_copy(
        update={
            "steps": references.steps,
            "warmup_steps": min(training.warmup_steps, references.steps // 4),
            "seeds": [fold],
            "evaluations": 1,
        }
    )


def _name(fold: int) -> str:
    return f"fold_{fold}"
