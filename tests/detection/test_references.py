"""Detectors that judge scenes: none has learnt from the real image a scene was made from."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import cats_and_dogs, detection_options, rehashed
from PIL import Image

from diffaug_pipeline.average_precision import map_on
from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.detection.options import DetectionTrainingOptions
from diffaug_pipeline.detection.prediction import predict
from diffaug_pipeline.detection.references import detect, detect_in_pictures, measure_class_errors, train_references
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.training.folds import model_outside, read_folds
from diffaug_pipeline.training.options import ReferenceOptions

FOLDS = ReferenceOptions(folds=2, steps=4)


def options() -> DetectionTrainingOptions:
    """With mosaics, which must not bring in pictures of the fold either."""
    return detection_options(batch_size=8, augmentation={"mosaic": 1.0, "steps_without_mosaic": 2})


def train(real: ImageSet, folder: Path) -> Checkpoint:
    folder.mkdir()
    train_references(real, options(), FOLDS, folder)
    return Checkpoint(folder)


def found_by(fold: int, references: Checkpoint, images: ImageSet, real: ImageSet) -> pd.DataFrame:
    """What the network that was trained outside `fold` finds."""
    return predict(model_outside(references, fold), images, real.class_names, options())


def agree(first: list[dict], second: list[dict]) -> bool:
    """Up to rounding, which depends on what passes a network together."""
    sure, also_sure = ([box["confidence"] for box in boxes[:5]] for boxes in (first, second))
    return bool(np.allclose(sure, also_sure, rtol=1e-4))


@pytest.fixture(scope="module")
def references(real, tmp_path_factory) -> Checkpoint:
    return train(real, tmp_path_factory.mktemp("references") / "trained")


@pytest.fixture(scope="module")
def scenes(real) -> ImageSet:
    """Test pictures as synthetic scenes: eight with a training image as their source, four without."""
    test, train_ids = real.where(split="test").index, real.where(split="train").index["image_id"]
    rows = pd.concat([test, test], ignore_index=True)
    sources = [*train_ids.iloc[:8], None, None, None, None]
    ids = [f"synthetic:{number}" for number in range(12)]
    return ImageSet(rows.assign(image_id=ids, source_image_id=sources, split="train", origin="synthetic"))


def test_there_is_a_network_per_fold_of_the_training_images(references, real):
    fold_of = read_folds(references)
    assert fold_of.keys() == set(real.where(split="train").index["image_id"])
    assert sorted(fold_of.values()) == [0] * 6 + [1] * 6
    assert sorted(path.name for path in references.folder.iterdir()) == ["fold_0", "fold_1", "folds.json"]
    config = model_outside(references, 0).read_json("config.json")
    assert (config["steps"], config["warmup_steps"]) == (FOLDS.steps, 1)


def test_a_network_knows_nothing_about_the_pictures_of_its_fold(references, real, tmp_path):
    """Blackening the pictures of fold 0 changes the network of fold 1 alone."""
    copy = cats_and_dogs(tmp_path / "real")
    folds = read_folds(references)
    for row in copy.where(split="train").index.itertuples():
        if folds[row.image_id] == 0:
            Image.new("RGB", (row.width_px, row.height_px)).save(row.path)
    other = train(rehashed(copy), tmp_path / "other")
    assert read_folds(other) == folds
    files = [f"fold_{fold}/seed_{fold}/model.safetensors" for fold in (0, 1)]
    same = [(other.folder / file).read_bytes() == (references.folder / file).read_bytes() for file in files]
    assert same == [True, False]


def test_a_scene_is_shown_to_the_network_of_its_sources_fold(references, scenes, real):
    found = detect(references, scenes, real, options()).set_index("image_id")["boxes"]
    by_fold = {fold: found_by(fold, references, scenes, real).set_index("image_id")["boxes"] for fold in (0, 1)}
    folds = read_folds(references)
    sourced = scenes.index.dropna(subset="source_image_id")
    assert {folds[source] for source in sourced["source_image_id"]} == {0, 1}
    for image_id, source in zip(sourced["image_id"], sourced["source_image_id"], strict=True):
        assert agree(found[image_id], by_fold[folds[source]][image_id])
        assert not agree(found[image_id], by_fold[1 - folds[source]][image_id])


def test_scenes_without_a_source_and_validation_images_are_spread_over_all_networks(references, scenes, real):
    found = detect(references, scenes, real, options())
    assert list(found) == ["image_id", "boxes"]
    validation = real.where(split="val")
    assert sorted(found["image_id"]) == sorted([*scenes.index["image_id"], *validation.index["image_id"]])
    free = set(validation.index["image_id"]) | set(scenes.index.loc[scenes.index["source_image_id"].isna(), "image_id"])
    both = pd.concat(found_by(fold, references, images, real) for images in (scenes, validation) for fold in (0, 1))
    judges = [
        {
            fold
            for fold, theirs in both[both["image_id"] == image_id][["seed", "boxes"]].itertuples(index=False)
            if agree(theirs, boxes)
        }
        for image_id, boxes in found.itertuples(index=False)
        if image_id in free
    ]
    assert all(len(judge) == 1 for judge in judges)
    assert len(judges) == 10
    assert set.union(*judges) == {0, 1}


def test_no_network_judges_what_it_has_labelled(references, scenes, real):
    """Two networks: a picture without a source is labelled by the one and, as a scene, judged by the other."""
    free = ImageSet(scenes.index[scenes.index["source_image_id"].isna()].reset_index(drop=True))
    labelled = detect_in_pictures(references, free, real.class_names, options()).set_index("image_id")["boxes"]
    judged = detect(references, free, real, options()).set_index("image_id")["boxes"]
    both = pd.concat(found_by(fold, references, free, real) for fold in (0, 1))
    both = both.groupby("image_id")["boxes"].apply(list)
    assert sorted(labelled.index) == sorted(free.index["image_id"])
    for image_id, boxes in labelled.items():
        assert not agree(boxes, judged[image_id])
        assert all(any(agree(found, one) for one in both[image_id]) for found in (boxes, judged[image_id]))


def test_the_error_of_a_class_is_what_its_average_precision_lacks(references, real):
    errors = measure_class_errors(references, real, options())
    assert errors["class_name"].tolist() == ["cat", "dog"]
    validation = real.where(split="val")
    for name, error in errors.itertuples(index=False):
        precisions = [
            map_on(
                predict(model_outside(references, fold), validation, ["cat", "dog"], options())["boxes"],
                validation.boxes,
                [name],
            )
            for fold in (0, 1)
        ]
        assert error == pytest.approx(1 - np.mean([precision["map_50_95"] for precision in precisions]))
    assert errors["error"].nunique() == 2


def test_a_class_that_validation_images_do_not_show_has_no_error(references, real):
    dogless = [[box for box in boxes if box["label"] == "cat"] for boxes in real.index["boxes"]]
    boxes = real.index["boxes"].where(real.index["split"] != "val", pd.Series(dogless))
    errors = measure_class_errors(references, ImageSet(real.index.assign(boxes=boxes)), options())
    assert errors["class_name"].tolist() == ["cat"]


def test_a_finished_network_is_kept_when_the_others_are_trained_again(real, tmp_path):
    first = train(real, tmp_path / "references")
    before = {file: file.read_bytes() for file in first.folder.rglob("*.safetensors")}
    kept = (first.folder / "fold_1" / "seed_1" / "model.safetensors").stat().st_mtime_ns
    shutil.rmtree(first.folder / "fold_0")
    train_references(real, options(), FOLDS, first.folder)
    assert {file: file.read_bytes() for file in first.folder.rglob("*.safetensors")} == before
    assert (first.folder / "fold_1" / "seed_1" / "model.safetensors").stat().st_mtime_ns == kept
