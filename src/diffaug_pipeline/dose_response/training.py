"""Trains and asks one network per arm and seed; all are kept in one folder, a folder per arm (see `training.seeds`)."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.dose_response.arms import Ingredients
from diffaug_pipeline.dose_response.options import DoseResponseOptions
from diffaug_pipeline.training.folds import Train
from diffaug_pipeline.training.options import TrainingLoopOptions

Predict = Callable[[Checkpoint], pd.DataFrame]
"""What the networks of a checkpoint say about some images, with a column `seed`."""


def train_arms(
    train: Train,
    ingredients: Ingredients,
    training: TrainingLoopOptions,
    options: DoseResponseOptions,
    folder: Path,
) -> None:
    """Fills `folder` with the networks of all arms; those finished before a crash are kept."""
    adapted, arms = options.adapt(training), set()
    for name, training_set in ingredients.training_sets(options):
        (folder / name).mkdir(exist_ok=True)
        train(training_set, ingredients.real_images, adapted, folder / name)
        arms.add(name)
    for leftover in {path for path in folder.iterdir() if path.is_dir()} - {folder / name for name in arms}:
        shutil.rmtree(leftover)


def predict_arms(predict: Predict, checkpoints: Checkpoint, arms: Iterable[str]) -> pd.DataFrame:
    """What `predict` says of each of `arms`, which a column `arm` names."""
    tables = [predict(Checkpoint(checkpoints.folder / arm)).assign(arm=arm) for arm in arms]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({"arm": pd.Series(dtype=str)})
