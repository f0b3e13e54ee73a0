"""Ultralytics' networks behind our door: built, started, fed and read out."""

import subprocess
import sys
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from diffaug_pipeline.detection.options import LossGains
from diffaug_pipeline.detection.yolo import build_yolo, detect, start_from, weights_digest
from diffaug_pipeline.errors import ModelFolderError
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.pretraining.detector import as_batch

GAINS = LossGains(box=7.5, cls=0.5, dfl=1.5)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return build_yolo("yolo11n", ["cat", "dog"], GAINS)


def boxes(*records: tuple[str, list[float]]) -> Boxes:
    return Boxes.of({"label": label, "xyxy": xyxy, "ignored": False} for label, xyxy in records)


def test_a_batch_is_what_the_loss_takes(model):
    pixels = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)
    batch = as_batch(
        pixels,
        [boxes(("dog", [0, 0, 32, 16]), ("cat", [16, 16, 48, 64])), Boxes.of([]), boxes(("cat", [8, 8, 24, 40]))],
        ["cat", "dog"],
    )
    assert batch["batch_idx"].tolist() == [0, 0, 2]
    assert batch["cls"][:, 0].tolist() == [1, 0, 0]
    assert batch["bboxes"][0].tolist() == [0.25, 0.125, 0.5, 0.25]
    model.train()
    losses, _ = model(batch)
    assert torch.isfinite(losses).all()
    assert (losses > 0).all()


def test_ignored_boxes_are_not_trained_on():
    crowd = Boxes.of([{"label": "cat", "xyxy": [0, 0, 9, 9], "ignored": True}])
    batch = as_batch(torch.zeros(1, 3, 32, 32, dtype=torch.uint8), [crowd], ["cat"])
    assert batch["bboxes"].shape == (0, 4)


def test_detections_are_sorted_few_and_confident(model):
    pixels = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    for found in detect(model, pixels, confidence=1e-6, iou=0.7):
        assert found.shape[1] == 6
        assert 0 < len(found) <= 100
        assert (np.diff(found[:, 4]) <= 0).all()
        assert set(found[:, 5]) <= {0, 1}
    assert all(len(found) == 0 for found in detect(model, pixels, confidence=0.99, iou=0.7))


def test_a_busy_machine_loses_no_detections(model, monkeypatch):
    """Ultralytics' suppression stops after some seconds and leaves the rest of a batch empty."""
    from ultralytics.utils import nms

    pixels = torch.randint(0, 256, (4, 3, 64, 64), dtype=torch.uint8)
    at_leisure = detect(model, pixels, confidence=1e-6, iou=0.7)
    monkeypatch.setattr(nms.time, "time", partial(next, count(0, 1_000)))
    for found, expected in zip(detect(model, pixels, confidence=1e-6, iou=0.7), at_leisure, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_embedded_detector_fits_but_for_its_last_layers():
    fresh = build_yolo("yolo11n", ["cat", "dog"])
    loaded = start_from(fresh, "embedded:detector")
    assert len(fresh.state_dict()) - 6 == loaded
    assert len(weights_digest("embedded:detector")) == 64


def test_weights_can_be_a_safetensors_file_or_a_named_pickle(model, tmp_path):
    state = {name: value.clone().contiguous() for name, value in model.state_dict().items()}
    save_file(state, tmp_path / "own.safetensors")
    torch.save({"model": model.half()}, tmp_path / "official.pt")
    model.float()
    for weights in ("own.safetensors", "official.pt"):
        fresh = build_yolo("yolo11n", ["cat", "dog"])
        assert start_from(fresh, str(tmp_path / weights)) == len(state)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("yolo11n.pt", r"'yolo11n.pt' do not exist; name embedded:detector.*Nothing is downloaded"),
        ("embedded:nothing", "do not exist"),
        ("weights.onnx", r"neither a \.safetensors nor a \.pt"),
        ("other.safetensors", "of 499 tensors in .* fit; it holds another architecture"),
    ],
)
def test_weights_that_do_not_serve_are_refused(weights, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("weights.onnx").write_bytes(b"x")
    save_file({"layer.weight": torch.zeros(3)}, "other.safetensors")
    with pytest.raises(ModelFolderError, match=message):
        start_from(build_yolo("yolo11n", ["cat"]), weights)


def test_nothing_is_left_behind_changed_or_asked_of_the_network(tmp_path):
    """In a process of its own with an empty home: import, build, detect, then look around.

    Where torchvision is not loaded Ultralytics suppresses overlaps in another way, which breaks ties otherwise; Pillow
    it makes ask for one more package whenever a file is no picture.
    """
    script = (
        "import socket, sys\n"
        "def refuse(*_, **__): print('network!', file=sys.stderr); raise OSError('no network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "import torch\n"
        "from PIL import Image\n"
        "open_image = Image.open\n"
        "from diffaug_pipeline.detection.yolo import build_yolo, detect\n"
        "from ultralytics.utils.nms import TorchNMS\n"
        "TorchNMS.nms = None\n"
        "assert Image.open is open_image\n"
        "detect(build_yolo('yolo11n', ['a']), torch.zeros(1, 3, 32, 32, dtype=torch.uint8), 1e-6, 0.7)\n"
    )
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=work,
        env={"HOME": str(home), "PATH": "", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "network!" not in done.stderr
    assert not list(work.iterdir())
    assert not [path for path in home.rglob("*") if "ltralytics" in path.name]
    assert not list(tmp_path.glob("diffaug-ultralytics-*"))
