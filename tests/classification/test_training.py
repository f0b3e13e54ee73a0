"""Training and prediction with a real ResNet on pictures small enough to take seconds."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from factories import real_image_set, rehashed
from PIL import Image
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.classification.prediction import predict
from diffaug_pipeline.classification.resnet import build_resnet
from diffaug_pipeline.classification.training import train_classifiers
from diffaug_pipeline.errors import ModelFolderError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.merging.training_sets import real_only
from diffaug_pipeline.training.pixels import decode_to_file
from diffaug_pipeline.training.seeds import read_history


def options(**changes) -> TrainingOptions:
    values = {
        "architecture": "resnet18",
        "weights": None,
        "input_size_px": 16,
        "fit": "contain",
        "steps": 40,
        "batch_size": 16,
        "learning_rate": 0.001,
        "warmup_steps": 2,
        "weight_decay": 1e-4,
        "label_smoothing": 0.0,
        "augmentation": {"horizontal_flip": True, "max_shift": 0.0, "policy": "none"},
        "evaluations": 3,
        "seeds": [0, 1],
        "workers": 1,
        "device": "cpu",
    }
    return TrainingOptions(**values | changes)


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ImageSet:
    """Bright cats and dark dogs: a task a dozen steps can learn."""
    images = real_image_set(tmp_path_factory.mktemp("real"), {"train": 10, "val": 10, "test": 15})
    for row in images.index.itertuples():
        with Image.open(row.path) as image:
            shifted = np.asarray(image) // 4 + (170 if row.label == "cat" else 10)
        Image.fromarray(shifted.astype(np.uint8)).save(row.path)
    return rehashed(images)


@pytest.fixture(scope="module")
def trained(real, tmp_path_factory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("checkpoint")
    train_classifiers(real_only(real), real, options(), folder)
    return Checkpoint(folder)


def test_a_learnable_task_is_learnt_and_predicted_on_test_images(trained, real):
    predictions = predict(trained, real.where(split="test"), "cpu")
    assert set(predictions["seed"]) == {0, 1}
    assert len(predictions) == 2 * 30
    assert (predictions["predicted"] == predictions["label"]).mean() > 0.9
    probabilities = np.stack(predictions["probabilities"])
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)


def test_the_history_covers_all_seeds_and_marks_the_checkpoint_kept(trained):
    history = read_history(trained)
    assert history.groupby("seed")["step"].apply(list).to_dict() == {0: [14, 27, 40], 1: [14, 27, 40]}
    best = history[history["is_best"]]
    assert len(best) == 2
    for _, of_seed in history.groupby("seed"):
        assert of_seed.loc[of_seed["is_best"], "val_accuracy"].iloc[0] == of_seed["val_accuracy"].max()


def test_the_checkpoint_is_safetensors_and_json(trained):
    files = {path.suffix for path in trained.folder.rglob("*") if path.is_file()}
    assert files == {".safetensors", ".json"}
    config = trained.read_json("config.json")
    assert config["class_names"] == ["cat", "dog"]
    assert config["architecture"] == "resnet18"


def test_the_same_seed_trains_the_same_network_alone_or_beside_another(trained, real, tmp_path):
    train_classifiers(real_only(real), real, options(seeds=[1]), tmp_path)
    first, second = (load_file(folder / "seed_1" / "model.safetensors") for folder in (trained.folder, tmp_path))
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = load_file(trained.folder / "seed_0" / "model.safetensors")
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


def test_finished_seeds_are_kept(trained, real):
    before = (trained.folder / "seed_0" / "model.safetensors").stat().st_mtime_ns
    train_classifiers(real_only(real), real, options(seeds=[0, 1]), trained.folder)
    assert (trained.folder / "seed_0" / "model.safetensors").stat().st_mtime_ns == before


@pytest.mark.parametrize("column", ["sampling_weight", "late_sampling_weight", "late_from", "loss_weight"])
def test_seeds_are_not_kept_where_images_are_drawn_or_weighed_otherwise(trained, real, tmp_path, column):
    before = trained.read_json("config.json")
    changed = ImageSet(real_only(real).index.assign(**{column: 0.5}))
    train_classifiers(changed, real, options(seeds=[0], steps=1, warmup_steps=0, evaluations=1), tmp_path)
    after = Checkpoint(tmp_path).read_json("config.json")
    assert after["training_data"] != before["training_data"]
    assert after["validation_data"] == before["validation_data"]


@pytest.mark.slow
def test_seeds_side_by_side_equal_seeds_one_after_the_other(trained, real, tmp_path):
    train_classifiers(real_only(real), real, options(workers=2), tmp_path)
    for seed in (0, 1):
        first, second = (
            load_file(folder / f"seed_{seed}" / "model.safetensors") for folder in (trained.folder, tmp_path)
        )
        for name in first:
            torch.testing.assert_close(first[name].float(), second[name].float(), rtol=1e-3, atol=1e-3)


def test_pixels_are_fitted_into_one_file(real, tmp_path):
    pixels = decode_to_file(real, 24, "cover", tmp_path / "pixels.npy").open()
    assert pixels.shape == (len(real), 3, 24, 24)
    assert pixels.dtype == np.uint8
    with Image.open(real.index["path"].iloc[3]) as image:
        expected = np.asarray(image.convert("RGB").resize((24, 24), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(pixels[3].transpose(1, 2, 0), expected)


def test_weights_may_come_from_a_safetensors_file_of_another_task(tmp_path):
    donor = build_resnet("resnet18", None, 7)
    save_file({name: value.contiguous() for name, value in donor.state_dict().items()}, tmp_path / "donor.safetensors")
    model = build_resnet("resnet18", str(tmp_path / "donor.safetensors"), 3)
    assert torch.equal(model.layer3[0].conv1.weight, donor.layer3[0].conv1.weight)
    assert model.fc.out_features == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"seeds": [1, 1]}, "named once"), ({"warmup_steps": 40}, "must be less than steps")],
)
def test_options_that_cannot_work_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        options(**changes)


@pytest.mark.parametrize("name", ["missing.safetensors", "weights.pt"])
def test_other_weight_files_are_refused(tmp_path, name):
    (tmp_path / "weights.pt").write_bytes(b"pickle")
    with pytest.raises(ModelFolderError, match=r"an existing \.safetensors file"):
        build_resnet("resnet18", str(tmp_path / name), 3)


def test_weights_of_another_architecture_are_refused(tmp_path):
    save_file({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "thin.safetensors")
    with pytest.raises(ModelFolderError, match="lacks"):
        build_resnet("resnet18", str(tmp_path / "thin.safetensors"), 3)


def test_seeds_trained_on_other_data_are_not_kept(real, tmp_path):
    short = options(seeds=[0], steps=3, evaluations=1)
    train_classifiers(real_only(real), real, short, tmp_path)
    before = (tmp_path / "seed_0" / "model.safetensors").read_bytes()
    fewer = ImageSet(real.index.drop(index=0).reset_index(drop=True))
    train_classifiers(real_only(fewer), fewer, short, tmp_path)
    assert (tmp_path / "seed_0" / "model.safetensors").read_bytes() != before


def test_leftovers_of_a_killed_training_are_cleared_away(real, tmp_path):
    (tmp_path / ".seed_0").mkdir()
    (tmp_path / ".seed_0" / "model.safetensors").write_bytes(b"half")
    train_classifiers(real_only(real), real, options(seeds=[0], steps=3, evaluations=1), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "seed_0"]


@pytest.mark.slow
def test_workers_die_with_the_process_that_started_them(tmp_path):
    script = (
        "from pathlib import Path\nfrom test_training import options\nfrom factories import real_image_set\n"
        "from diffaug_pipeline.classification.training import train_classifiers\n"
        "from diffaug_pipeline.merging.training_sets import real_only\n"
        "if __name__ == '__main__':\n"
        f"    real = real_image_set(Path({str(tmp_path)!r}) / 'real', {{'train': 4, 'val': 4}})\n"
        f"    folder = Path({str(tmp_path)!r}) / 'checkpoint'\n    folder.mkdir()\n"
        "    train_classifiers(real_only(real), real, options(workers=2, steps=100_000), folder)\n"
    )
    (tmp_path / "run.py").write_text(script)
    tests = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": f"{tests}{os.pathsep}{tests / 'classification'}"}
    parent = subprocess.Popen([sys.executable, str(tmp_path / "run.py")], env=environment)
    deadline = time.monotonic() + 120
    while not (steps := [np.load(file) for file in tmp_path.rglob("steps_done.npy")]) or steps[0].min() == 0:
        assert parent.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
    workers = psutil.Process(parent.pid).children(recursive=True)
    assert len(workers) >= 2
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []


def test_history_is_plain_json(trained):
    training = json.loads((Path(trained.folder) / "seed_0" / "training.json").read_text())
    assert training["seconds"] > 0
    assert training["history"][-1]["step"] == 40
