"""Which images a cross-fitted model learns from, and which it judges."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import real_image_set

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.training.folds import (
    assign_folds,
    judging_shares,
    model_outside,
    read_folds,
    train_none,
    train_outside_folds,
)
from diffaug_pipeline.training.options import ReferenceOptions, TrainingLoopOptions

LOOP = TrainingLoopOptions(
    steps=400,
    batch_size=4,
    learning_rate=0.1,
    warmup_steps=30,
    weight_decay=0.0,
    evaluations=5,
    seeds=[7, 8],
    workers=None,
    device="cpu",
)


def note(training_set: ImageSet, real_images: ImageSet, options: TrainingLoopOptions, folder: Path) -> None:
    """Stands for a training: writes down what it was given."""
    given = {
        "trained_on": training_set.index["image_id"].tolist(),
        "weight": float(training_set.index["sampling_weight"].sum()),
        "classes": real_images.class_names,
        "options": options.model_dump(),
    }
    (folder / "given.json").write_text(json.dumps(given))


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ImageSet:
    return real_image_set(tmp_path_factory.mktemp("real"), {"train": 5, "val": 2, "test": 2})


def train(real: ImageSet, folder: Path, folds: int = 3) -> Checkpoint:
    train_outside_folds(note, real, LOOP, ReferenceOptions(folds=folds, steps=100), folder)
    return Checkpoint(folder)


def test_every_training_image_is_left_out_by_exactly_the_model_of_its_fold(real, tmp_path):
    references = train(real, tmp_path)
    fold_of = read_folds(references)
    train_ids = set(real.where(split="train").index["image_id"])
    assert fold_of.keys() == train_ids
    for fold in range(3):
        given = model_outside(references, fold).read_json("given.json")
        assert set(given["trained_on"]) == {image_id for image_id in train_ids if fold_of[image_id] != fold}
        assert given["weight"] == pytest.approx(1)
        assert given["classes"] == ["cat", "dog"]


def test_references_train_like_the_arms_but_shorter_and_choose_nothing_on_validation(real, tmp_path):
    given = model_outside(train(real, tmp_path), 1).read_json("given.json")["options"]
    changed = {name for name, value in LOOP.model_dump().items() if given[name] != value}
    assert changed == {"steps", "warmup_steps", "seeds", "evaluations"}
    assert (given["steps"], given["warmup_steps"], given["seeds"], given["evaluations"]) == (100, 25, [1], 1)


def test_folds_are_of_equal_size_and_depend_on_names_alone():
    ids = pd.Series([f"image {number}" for number in range(11)])
    folds = assign_folds(ids, 3)
    assert list(folds) == ids.tolist()
    assert sorted(pd.Series(folds).value_counts()) == [3, 4, 4]
    assert assign_folds(ids.sample(frac=1, random_state=0), 3) == folds
    assert list(folds.values()) != [number % 3 for number in range(11)]


def test_folds_have_their_share_of_every_class():
    ids, labels = pd.Series([f"image {n}" for n in range(25)]), pd.Series(list("abcde") * 5)
    folds = pd.Series(assign_folds(ids, 2, labels))
    counts = folds.groupby(labels.to_numpy()).value_counts().unstack()
    assert set(counts.to_numpy().ravel()) == {2, 3}
    assert sorted(folds.value_counts()) == [12, 13]


def test_only_the_model_that_has_not_seen_the_source_counts_and_without_one_all_do_alike():
    shares = judging_shares(["a", None, "c", np.nan], {"a": 2, "b": 0, "c": 1})
    expected = [[0, 0, 1], [1 / 3] * 3, [0, 1, 0], [1 / 3] * 3]
    np.testing.assert_allclose(shares, expected)


def test_where_nobody_asks_there_are_no_folds(tmp_path):
    train_none(tmp_path)
    assert read_folds(Checkpoint(tmp_path)) == {}
    assert [path.name for path in tmp_path.iterdir()] == ["folds.json"]


def test_more_folds_than_training_images_are_refused(real, tmp_path):
    with pytest.raises(ParameterError, match=r"references\.folds is 11, but there are 10 training images; lower it"):
        train(real, tmp_path, folds=11)


def test_a_class_that_a_model_could_not_know_is_refused(real, tmp_path):
    index = real.index
    lonely = ImageSet(index[(index["label"] == "cat") | (index["image_id"] == "dog/train/0")].reset_index(drop=True))
    with pytest.raises(ParameterError, match=r"dog has a single training image: .* would not know the class"):
        train(lonely, tmp_path)
