"""Classifiers that judge synthetic images: cross-fitted, so that none has seen the real image one was made from."""

from pathlib import Path

import numpy as np
import pandas as pd

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.classification.prediction import predict, predictions_table
from diffaug_pipeline.classification.training import train_classifiers
from diffaug_pipeline.imaging.image_set import ImageSet, leading_columns
from diffaug_pipeline.training.folds import judging_shares, model_outside, read_folds, train_outside_folds
from diffaug_pipeline.training.options import ReferenceOptions

COLUMNS = ["image_id", "label", "predicted", "probabilities"]


def train_references(
    real_images: ImageSet, training: TrainingOptions, references: ReferenceOptions, folder: Path
) -> None:
    """Fills `folder` (see `training.folds`) with a ResNet per fold of the real training images, trained on the others.

    Raises `ParameterError` where a class has too few images for that.
    """
    train_outside_folds(train_classifiers, real_images, training, references, folder)


def predict_images(
    references: Checkpoint, synthetic_images: ImageSet, real_images: ImageSet, training: TrainingOptions
) -> pd.DataFrame:
    """`image_id`, `label`, `predicted`, `probabilities` (list, in the order of the sorted class names).

    Of synthetic, real training and real validation images: by the model that has not seen the image or its source; the
    mean of all models for validation images and those without a source.
    """
    train, validation = (real_images.where(split=split).index for split in ("train", "val"))
    synthetic = synthetic_images.index
    sources = [*synthetic["source_image_id"], *train["image_id"], *[None] * len(validation)]
    images = ImageSet(pd.concat([synthetic, train, validation], ignore_index=True)[leading_columns("label")])
    shares = judging_shares(sources, read_folds(references))
    probabilities = np.zeros((len(images), len(real_images.class_names)))
    for fold, share in enumerate(shares.T):
        shown = np.flatnonzero(share)
        if len(shown):
            rows = ImageSet(images.index.iloc[shown].reset_index(drop=True))
            found = predict(model_outside(references, fold), rows, training.device)
            probabilities[shown] += share[shown, None] * np.stack(found["probabilities"])
    return predictions_table(0, images, probabilities, real_images.class_names)[COLUMNS]


def nothing_predicted() -> pd.DataFrame:
    """The same of no images."""
    return pd.DataFrame(columns=COLUMNS)


def measure_class_errors(references: Checkpoint, real_images: ImageSet, training: TrainingOptions) -> pd.DataFrame:
    """`class_name` and `error`: 1 - recall in [0, 1] on real validation images, the mean of all models.

    Classes without an image there have no row.
    """
    validation, folds = real_images.where(split="val"), set(read_folds(references).values())
    found = pd.concat(predict(model_outside(references, fold), validation, training.device) for fold in sorted(folds))
    errors = (found["predicted"] != found["label"]).groupby(found["label"]).mean()
    return errors.rename_axis("class_name").rename("error").reset_index()
