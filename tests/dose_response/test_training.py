"""What is trained, kept and asked; the networks themselves are not needed for that."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from dose_response.dose_cases import as_synthetic, copies, decisions, loop_options, study_options
from factories import real_image_set
from trainings import fail_with_seed_1, note_threads

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.dose_response.arms import Ingredients
from diffaug_pipeline.dose_response.training import predict_arms, train_arms
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.training.options import TrainingLoopOptions
from diffaug_pipeline.training.seeds import seed_folders, train_all_seeds

ARMS = ["ratio_0", "ratio_0.5", "ratio_1", "real_0.25", "real_0.5", "real_0.75"]


class Trainer:
    """Trains no network, and remembers for which training sets it was to."""

    def __init__(self, training=note_threads):
        self.trained: list[str] = []
        self._training = training

    def __call__(
        self, training_set: ImageSet, real_images: ImageSet, options: TrainingLoopOptions, folder: Path
    ) -> None:
        def prepare(scratch: Path):
            self.trained.append(folder.name)
            return self._training

        train_all_seeds({"images": len(training_set)}, options, "cpu", folder, prepare)


@pytest.fixture
def ingredients(tmp_path) -> Ingredients:
    real = real_image_set(tmp_path / "real", {"train": 4, "val": 2})
    made = as_synthetic(real)
    return Ingredients(real, made, decisions(made), copies(made))


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def train(trainer: Trainer, ingredients: Ingredients, folder: Path, **changes) -> None:
    train_arms(trainer, ingredients, loop_options(seeds=[0, 1]), study_options(**changes), folder)


def test_every_arm_has_a_folder_with_all_seeds(ingredients, folder):
    trainer = Trainer()
    train(trainer, ingredients, folder)
    assert sorted(trainer.trained) == ARMS
    for arm in ARMS:
        assert list(seed_folders(Checkpoint(folder / arm))) == [0, 1]


def test_after_a_crash_only_what_is_missing_is_trained(ingredients, folder):
    with pytest.raises(RuntimeError, match="out of memory"):
        train(Trainer(fail_with_seed_1), ingredients, folder)
    assert list(seed_folders(Checkpoint(folder / "ratio_0"))) == [0]
    kept = (folder / "ratio_0" / "seed_0" / "training.json").stat().st_mtime_ns
    train(Trainer(), ingredients, folder)
    assert (folder / "ratio_0" / "seed_0" / "training.json").stat().st_mtime_ns == kept
    shutil.rmtree(folder / "real_0.5" / "seed_1")
    again = Trainer()
    train(again, ingredients, folder)
    assert again.trained == ["real_0.5"]


def test_doses_that_are_no_longer_asked_for_are_removed(ingredients, folder):
    train(Trainer(), ingredients, folder)
    again = Trainer()
    train(again, ingredients, folder, ratios=[0.0, 1.0, 3.0])
    assert again.trained == ["ratio_3"]
    assert {path.name for path in folder.iterdir()} == {*ARMS, "ratio_3"} - {"ratio_0.5"}


def test_arms_are_told_apart_in_what_they_say(ingredients, folder):
    train(Trainer(), ingredients, folder)

    def predict(checkpoint: Checkpoint) -> pd.DataFrame:
        return pd.DataFrame({"seed": list(seed_folders(checkpoint)), "folder": checkpoint.folder.name})

    said = predict_arms(predict, Checkpoint(folder), ["ratio_1", "real_0.5"])
    assert said["arm"].tolist() == said["folder"].tolist() == ["ratio_1"] * 2 + ["real_0.5"] * 2
    assert predict_arms(predict, Checkpoint(folder), []).groupby("arm").ngroups == 0
