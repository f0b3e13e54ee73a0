"""Detectors that judge scenes: none has learnt from the real image a scene was made from."""

from pathlib import Path

import pandas as pd
import pytest
from factories import cats_and_dogs, detection_options, rehashed
from PIL import Image

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.detection.options import DetectionTrainingOptions, ReferenceOptions
from diffaug_pipeline.detection.prediction import predict
from diffaug_pipeline.detection.references import assign_folds, detect, detect_in_pictures, train_references
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.image_set import ImageSet

FOLDS = ReferenceOptions(folds=2, steps=4)


def options() -> DetectionTrainingOptions:
    """With mosaics, which must not bring in pictures of the fold either."""
    return detection_options(batch_size=8, augmentation={"mosaic": 1.0, "steps_without_mosaic": 2})


def train(real: ImageSet, folder: Path, references: ReferenceOptions = FOLDS, needed: bool = True) -> Checkpoint:
    folder.mkdir()
    train_references(real, options(), references, needed, folder)
    return Checkpoint(folder)


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


def test_folds_are_of_equal_size_and_depend_on_names_alone():
    ids = pd.Series([f"image {number}" for number in range(11)])
    folds = assign_folds(ids, 3)
    assert list(folds) == ids.tolist()
    assert sorted(pd.Series(folds).value_counts()) == [3, 4, 4]
    assert assign_folds(ids.sample(frac=1, random_state=0), 3) == folds
    assert list(folds.values()) != [number % 3 for number in range(11)]


def test_there_is_a_network_per_fold_of_the_training_images(references, real):
    config = references.read_json("config.json")
    assert config["folds"].keys() == set(real.where(split="train").index["image_id"])
    assert sorted(config["folds"].values()) == [0] * 6 + [1] * 6
    assert config["steps"] == FOLDS.steps
    assert config["warmup_steps"] == 1
    assert sorted(path.name for path in references.folder.iterdir()) == ["config.json", "seed_0", "seed_1"]


def test_a_network_knows_nothing_about_the_pictures_of_its_fold(references, real, tmp_path):
    """Blackening the pictures of fold 0 changes the network of fold 1 alone."""
    copy = cats_and_dogs(tmp_path / "real")
    folds = references.read_json("config.json")["folds"]
    for row in copy.where(split="train").index.itertuples():
        if folds[row.image_id] == 0:
            Image.new("RGB", (row.width_px, row.height_px)).save(row.path)
    other = train(rehashed(copy), tmp_path / "other")
    assert other.read_json("config.json")["folds"] == folds
    files = [f"seed_{fold}/model.safetensors" for fold in (0, 1)]
    same = [(other.folder / file).read_bytes() == (references.folder / file).read_bytes() for file in files]
    assert same == [True, False]


def test_a_scene_is_shown_to_the_network_of_its_sources_fold(references, scenes, real):
    found = detect(references, scenes, real, options()).set_index("image_id")["boxes"]
    by_fold = dict(list(predict(references, scenes, real.class_names, options()).groupby("seed")))
    by_fold = {fold: rows.set_index("image_id")["boxes"] for fold, rows in by_fold.items()}
    folds = references.read_json("config.json")["folds"]
    sourced = scenes.index.dropna(subset="source_image_id")
    assert {folds[source] for source in sourced["source_image_id"]} == {0, 1}
    for image_id, source in zip(sourced["image_id"], sourced["source_image_id"], strict=True):
        assert found[image_id] == by_fold[folds[source]][image_id]
        assert found[image_id] != by_fold[1 - folds[source]][image_id]


def test_scenes_without_a_source_and_validation_images_are_spread_over_all_networks(references, scenes, real):
    found = detect(references, scenes, real, options())
    assert list(found) == ["image_id", "boxes"]
    validation = real.where(split="val")
    assert sorted(found["image_id"]) == sorted([*scenes.index["image_id"], *validation.index["image_id"]])
    free = set(validation.index["image_id"]) | set(scenes.index.loc[scenes.index["source_image_id"].isna(), "image_id"])
    both = pd.concat(predict(references, images, real.class_names, options()) for images in (scenes, validation))
    judges = [
        {
            fold
            for fold, theirs in both[both["image_id"] == image_id][["seed", "boxes"]].itertuples(index=False)
            if theirs == boxes
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
    both = predict(references, free, real.class_names, options()).groupby("image_id")["boxes"].apply(list)
    assert sorted(labelled.index) == sorted(free.index["image_id"])
    for image_id, boxes in labelled.items():
        assert boxes != judged[image_id]
        assert all(found in both[image_id] for found in (boxes, judged[image_id]))


def test_nothing_is_looked_for_in_pictures_unless_asked(references, real):
    found = detect_in_pictures(references, None, real.class_names, options())
    assert found.empty
    assert list(found) == ["image_id", "boxes"]


def test_references_that_nobody_asks_are_not_trained(real, scenes, tmp_path):
    none = train(real, tmp_path / "none", needed=False)
    assert [path.name for path in none.folder.iterdir()] == ["config.json"]
    found = detect(none, scenes, real, options())
    assert found.empty
    assert list(found) == ["image_id", "boxes"]


def test_a_finished_network_is_kept_when_the_others_are_trained_again(real, tmp_path):
    first = train(real, tmp_path / "references")
    before = {file: file.read_bytes() for file in first.folder.rglob("*.safetensors")}
    kept = (first.folder / "seed_1" / "model.safetensors").stat().st_mtime_ns
    for file in (first.folder / "seed_0").iterdir():
        file.unlink()
    (first.folder / "seed_0").rmdir()
    train_references(real, options(), FOLDS, True, first.folder)
    assert {file: file.read_bytes() for file in first.folder.rglob("*.safetensors")} == before
    assert (first.folder / "seed_1" / "model.safetensors").stat().st_mtime_ns == kept


def test_more_folds_than_training_images_are_refused(real, tmp_path):
    with pytest.raises(ParameterError, match=r"folds is 13, but there are 12 training images; lower it"):
        train(real, tmp_path / "references", ReferenceOptions(folds=13, steps=4))
