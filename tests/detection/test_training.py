"""Training and prediction with a real YOLO on pictures small enough to take seconds."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from factories import ANIMAL_SIZES, detection_options
from safetensors.torch import load_file

from diffaug_pipeline.average_precision import map_on
from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.detection import training
from diffaug_pipeline.detection.prediction import predict
from diffaug_pipeline.detection.training import train_detectors
from diffaug_pipeline.imaging.boxes import Boxes, ious
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.merging.training_sets import real_only
from diffaug_pipeline.training import seeds
from diffaug_pipeline.training.seeds import read_history

STRONG = {"mosaic": 1.0, "scale": 0.5, "translate": 0.1, "hsv_h": 0.015, "hsv_s": 0.7, "hsv_v": 0.4}


def weights_in(folder: Path, seed: int) -> bytes:
    return (folder / f"seed_{seed}" / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def trained(real, tmp_path_factory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("checkpoint")
    train_detectors(real_only(real), real, detection_options(), folder)
    return Checkpoint(folder)


@pytest.fixture(scope="module")
def predictions(trained, real):
    return predict(trained, real.where(split="test"), real.class_names, detection_options())


def test_a_learnable_task_is_learnt(trained):
    best = read_history(trained).query("is_best")
    assert (best["val_map_50"] > 0.5).all()
    assert (best["val_map_50_95"] < best["val_map_50"]).all()


def test_the_history_covers_all_seeds_and_marks_the_checkpoint_kept(trained):
    history = read_history(trained)
    assert list(history) == ["seed", "step", "loss", "val_map_50_95", "val_map_50", "is_best", "seconds"]
    assert history.groupby("seed")["step"].apply(list).to_dict() == {0: [10, 20, 30], 1: [10, 20, 30]}
    for _, of_seed in history.groupby("seed"):
        assert of_seed.loc[of_seed["is_best"], "val_map_50_95"].tolist() == [of_seed["val_map_50_95"].max()]
        assert of_seed["loss"].iloc[-1] < of_seed["loss"].iloc[0]


def test_the_checkpoint_is_safetensors_and_json(trained):
    files = {path.relative_to(trained.folder).as_posix() for path in trained.folder.rglob("*") if path.is_file()}
    of_seeds = {f"seed_{seed}/{name}" for seed in (0, 1) for name in ("model.safetensors", "training.json")}
    assert files == of_seeds | {"config.json"}
    config = trained.read_json("config.json")
    assert config["class_names"] == ["cat", "dog"]
    assert config["architecture"] == "yolo11n"
    assert config.keys().isdisjoint({"seeds", "workers", "device"})


def test_the_weights_kept_are_those_of_the_best_evaluation(trained, real):
    """Found anew on the validation images, they reach what the history says."""
    validation = real.where(split="val")
    found = predict(trained, validation, real.class_names, detection_options())
    best = read_history(trained).query("is_best").set_index("seed")["val_map_50_95"]
    for seed, of_seed in found.groupby("seed"):
        assert map_on(of_seed["boxes"], validation.boxes, real.class_names)["map_50_95"] == pytest.approx(best[seed])


@pytest.mark.parametrize(("precisions", "kept"), [([0.3, 0.1, 0.2], 0), ([0.1, 0.3, 0.2], 1), ([0.2, 0.2, 0.2], 2)])
def test_the_latest_of_the_best_evaluations_is_kept(real, tmp_path, monkeypatch, precisions, kept):
    states, answers = [], iter(precisions)

    def remember(model, *_) -> list:
        states.append({name: value.clone() for name, value in model.state_dict().items()})
        return []

    monkeypatch.setattr(training, "detect_all", remember)
    monkeypatch.setattr(training, "map_on", lambda *_: dict.fromkeys(("map_50_95", "map_50"), next(answers)))
    train_detectors(real_only(real), real, detection_options(seeds=[0], steps=6, warmup_steps=1), tmp_path)
    stored = load_file(tmp_path / "seed_0" / "model.safetensors")
    equal = [all(torch.equal(stored[name], state[name]) for name in stored) for state in states]
    assert equal == [number == kept for number in range(3)]


def test_every_seed_and_test_image_has_a_row_of_detections_inside_the_image(predictions, real):
    test = real.where(split="test").index
    assert list(predictions) == ["seed", "image_id", "boxes"]
    assert predictions.groupby("seed")["image_id"].apply(list).to_dict() == dict.fromkeys(
        (0, 1), test["image_id"].tolist()
    )
    sizes = dict(zip(test["image_id"], zip(test["width_px"], test["height_px"], strict=True), strict=True))
    assert set(sizes.values()) == set(ANIMAL_SIZES)
    for row in predictions.itertuples():
        assert 0 < len(row.boxes) <= 100
        width, height = sizes[row.image_id]
        xyxy = np.array([box["xyxy"] for box in row.boxes])
        assert (xyxy >= 0).all()
        assert (xyxy <= [width, height, width, height]).all()
        confidences = [box["confidence"] for box in row.boxes]
        assert confidences == sorted(confidences, reverse=True)
        assert {box["label"] for box in row.boxes} <= {"cat", "dog"}


def test_detections_on_pictures_of_any_size_lie_where_the_objects_are(predictions, real):
    overlaps = []
    for row in predictions.itertuples():
        truth, best = real.boxes_of(row.image_id), row.boxes[:5]
        found = Boxes.of(box | {"ignored": False} for box in best)
        same_class = truth.labels[:, None] == found.labels[None]
        overlaps += (ious(truth.xyxy, found.xyxy) * same_class).max(1).tolist()
    assert np.mean(np.array(overlaps) > 0.5) > 0.7


def test_a_seed_deleted_and_trained_again_has_the_same_bytes(trained, real, tmp_path):
    shutil.copytree(trained.folder, tmp_path / "again")
    shutil.rmtree(tmp_path / "again" / "seed_0")
    kept = (tmp_path / "again" / "seed_1" / "model.safetensors").stat().st_mtime_ns
    train_detectors(real_only(real), real, detection_options(), tmp_path / "again")
    assert weights_in(tmp_path / "again", 0) == weights_in(trained.folder, 0)
    assert weights_in(trained.folder, 0) != weights_in(trained.folder, 1)
    assert (tmp_path / "again" / "seed_1" / "model.safetensors").stat().st_mtime_ns == kept


@pytest.mark.parametrize("weights", [None, "embedded:detector"])
def test_a_seed_trains_the_same_network_alone_or_after_another(real, tmp_path, weights):
    """With everything random switched on: mosaics and colors are drawn from global generators."""
    short = {"steps": 3, "warmup_steps": 1, "evaluations": 1, "augmentation": STRONG, "weights": weights}
    for name, seeds_trained in (("alone", [1]), ("after", [0, 1])):
        (tmp_path / name).mkdir()
        options = detection_options(seeds=seeds_trained, **short)
        train_detectors(real_only(real), real, options, tmp_path / name)
    assert weights_in(tmp_path / "alone", 1) == weights_in(tmp_path / "after", 1)
    assert weights_in(tmp_path / "after", 0) != weights_in(tmp_path / "after", 1)


@pytest.mark.slow
def test_seeds_side_by_side_equal_seeds_one_after_the_other(real, tmp_path, monkeypatch):
    monkeypatch.setattr(seeds, "usable_cores", lambda: 2)  # so that each of two processes has one thread
    assert torch.get_num_threads() == 1
    short = {"steps": 4, "warmup_steps": 1, "evaluations": 2, "augmentation": STRONG}
    for workers in (1, 2):
        (tmp_path / str(workers)).mkdir()
        options = detection_options(workers=workers, **short)
        train_detectors(real_only(real), real, options, tmp_path / str(workers))
    for seed in (0, 1):
        assert weights_in(tmp_path / "1", seed) == weights_in(tmp_path / "2", seed)


def test_seeds_trained_with_other_options_or_on_other_data_make_room(real, tmp_path):
    short = detection_options(seeds=[0], steps=2, warmup_steps=1, evaluations=1)
    train_detectors(real_only(real), real, short, tmp_path)
    before = weights_in(tmp_path, 0)
    train_detectors(real_only(real), real, short.model_copy(update={"learning_rate": 0.01}), tmp_path)
    other_options = weights_in(tmp_path, 0)
    assert other_options != before
    swapped = {"cat": "dog", "dog": "cat"}
    relabelled = [[box | {"label": swapped[box["label"]]} for box in boxes] for boxes in real.index["boxes"]]
    corrected = ImageSet(real.index.assign(boxes=relabelled))
    train_detectors(real_only(corrected), corrected, short.model_copy(update={"learning_rate": 0.01}), tmp_path)
    assert weights_in(tmp_path, 0) not in (before, other_options)


@pytest.mark.parametrize("column", ["sampling_weight", "late_sampling_weight", "late_from"])
def test_whatever_decides_the_draws_is_part_of_the_configuration(real, column):
    training_set = real_only(real)
    changed = ImageSet(training_set.index.assign(**{column: 0.5}))
    first, second = (
        training.describe_training(images, real, detection_options())["training_data"]
        for images in (training_set, changed)
    )
    assert first != second


def test_training_takes_the_same_steps_whatever_the_size_of_the_training_set(real, tmp_path):
    options = detection_options(seeds=[0], steps=4, warmup_steps=1, evaluations=2)
    train = real_only(real).index
    for count in (3, 12):
        few = ImageSet(train.head(count).assign(sampling_weight=1 / count))
        (tmp_path / str(count)).mkdir()
        train_detectors(few, real, options, tmp_path / str(count))
        assert read_history(Checkpoint(tmp_path / str(count)))["step"].tolist() == [2, 4]
    assert weights_in(tmp_path / "3", 0) != weights_in(tmp_path / "12", 0)


def test_a_picture_without_objects_can_be_trained_on_and_predicted(real, tmp_path):
    bare = ImageSet(real.index.assign(boxes=[[] if k % 2 else b for k, b in enumerate(real.index["boxes"])]))
    options = detection_options(seeds=[0], steps=2, warmup_steps=1, evaluations=1, batch_size=4)
    train_detectors(real_only(bare), bare, options, tmp_path)
    unsure = options.model_copy(update={"min_confidence": 0.99})
    found = predict(Checkpoint(tmp_path), bare.where(split="test"), bare.class_names, unsure)
    assert found["boxes"].tolist() == [[]] * 6


def test_pictures_are_predicted_alike_alone_and_together(trained, predictions, real):
    test = real.where(split="test")
    for image_id in test.index["image_id"].iloc[:3]:
        alone = predict(trained, test.where(image_id=image_id), real.class_names, detection_options())
        together = predictions[predictions["image_id"] == image_id]
        for ours, theirs in zip(alone["boxes"], together["boxes"], strict=True):
            np.testing.assert_allclose([b["xyxy"] for b in ours[:3]], [b["xyxy"] for b in theirs[:3]], atol=0.05)


def test_nothing_is_left_in_the_working_directory(real, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    (tmp_path / "checkpoint").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    options = detection_options(seeds=[0], steps=2, warmup_steps=1, evaluations=1, augmentation=STRONG)
    train_detectors(real_only(real), real, options, tmp_path / "checkpoint")
    predict(Checkpoint(tmp_path / "checkpoint"), real.where(split="test"), real.class_names, options)
    assert not list((tmp_path / "work").iterdir())
    assert sorted(path.name for path in (tmp_path / "checkpoint").iterdir()) == ["config.json", "seed_0"]
