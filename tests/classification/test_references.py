"""Classifiers that judge images: what one has learnt by heart, another one judges."""

import numpy as np
import pandas as pd
import pytest
from factories import real_image_set

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.classification.prediction import predict
from diffaug_pipeline.classification.references import measure_class_errors, predict_images, train_references
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.training.folds import model_outside, read_folds
from diffaug_pipeline.training.options import ReferenceOptions

OPTIONS = TrainingOptions(
    architecture="resnet18",
    weights=None,
    input_size_px=16,
    fit="contain",
    steps=400,
    batch_size=12,
    learning_rate=0.002,
    warmup_steps=4,
    weight_decay=0.0,
    label_smoothing=0.0,
    augmentation={"horizontal_flip": False, "max_shift": 0.0, "policy": "none"},
    evaluations=3,
    seeds=[0],
    workers=1,
    device="cpu",
)


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ImageSet:
    """Noise under random names: all that can be learnt is which picture has which label, by heart."""
    return real_image_set(tmp_path_factory.mktemp("real"), {"train": 12, "val": 20, "test": 2})


@pytest.fixture(scope="module")
def references(real, tmp_path_factory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("references")
    train_references(real, OPTIONS, ReferenceOptions(folds=2, steps=40), folder)
    return Checkpoint(folder)


@pytest.fixture(scope="module")
def copies(real) -> ImageSet:
    """Training pictures as synthetic ones, each made from itself; two more without a source."""
    train = real.where(split="train").index
    rows = pd.concat([train, train.iloc[[0, -1]]], ignore_index=True)
    sources = [*train["image_id"], None, None]
    ids = [f"synthetic:{number}" for number in range(len(rows))]
    return ImageSet(rows.assign(image_id=ids, source_image_id=sources, origin="synthetic"))


@pytest.fixture(scope="module")
def judged(references, copies, real) -> pd.DataFrame:
    return predict_images(references, copies, real, OPTIONS)


def accuracy(rows: pd.DataFrame) -> float:
    return float((rows["predicted"] == rows["label"]).mean())


def test_each_model_knows_its_own_images_by_heart(references, real):
    fold_of = read_folds(references)
    for fold in (0, 1):
        found = predict(model_outside(references, fold), real.where(split="train"), "cpu")
        learnt = found["image_id"].map(fold_of) != fold
        assert accuracy(found[learnt]) == 1
        assert accuracy(found[~learnt]) < 0.85


def test_no_image_is_judged_by_a_model_that_learnt_it_or_its_source_by_heart(judged, copies):
    """A judge that had seen what it judges would be right every time, and sure of it."""
    by_id = judged.set_index("image_id")
    sourced = copies.index.dropna(subset="source_image_id")
    for judged_ids in (sourced["image_id"], sourced["source_image_id"]):
        rows = by_id.loc[judged_ids]
        assert accuracy(rows) < 0.85
        own = [p[["cat", "dog"].index(label)] for label, p in zip(rows["label"], rows["probabilities"], strict=True)]
        assert np.mean(np.array(own) > 0.9) < 0.7
    copy, source = (np.stack(by_id.loc[sourced[column], "probabilities"]) for column in ("image_id", "source_image_id"))
    np.testing.assert_allclose(copy, source, atol=1e-5)


def test_synthetic_train_and_validation_images_are_judged_and_test_images_are_not(judged, copies, real):
    assert list(judged) == ["image_id", "label", "predicted", "probabilities"]
    expected = [copies.index, *(real.where(split=split).index for split in ("train", "val"))]
    assert judged["image_id"].tolist() == [image_id for index in expected for image_id in index["image_id"]]
    probabilities = np.stack(judged["probabilities"])
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    assert judged["predicted"].tolist() == [["cat", "dog"][best] for best in probabilities.argmax(1)]


def test_validation_images_and_those_without_a_source_get_the_mean_of_all_models(judged, references, copies, real):
    free = ImageSet(copies.index[copies.index["source_image_id"].isna()].reset_index(drop=True))
    by_id = judged.set_index("image_id")["probabilities"]
    for images in (free, real.where(split="val")):
        each = [predict(model_outside(references, fold), images, "cpu")["probabilities"] for fold in (0, 1)]
        mean = np.mean([np.stack(one) for one in each], axis=0)
        np.testing.assert_allclose(np.stack(by_id.loc[images.index["image_id"]]), mean, atol=1e-5)


def test_the_error_of_a_class_is_one_minus_its_recall_on_validation_images(references, real):
    errors = measure_class_errors(references, real, OPTIONS)
    assert errors["class_name"].tolist() == ["cat", "dog"]
    validation = real.where(split="val")
    found = [predict(model_outside(references, fold), validation, "cpu") for fold in (0, 1)]
    for name, error in errors.itertuples(index=False):
        recalls = [accuracy(one[one["label"] == name]) for one in found]
        assert error == pytest.approx(1 - np.mean(recalls))
    assert 0 < errors["error"].mean() < 1
