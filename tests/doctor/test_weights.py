from collections.abc import Callable

import pytest
import torch
from factories import detection_options
from safetensors.torch import save_file

from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.doctor.weights import check_resnet_weights, check_yolo_weights
from diffaug_pipeline.errors import ModelFolderError


@pytest.fixture
def training_options(opened) -> Callable[..., TrainingOptions]:
    """Those that are shipped, with changes."""
    return lambda **changes: opened.parameters("params:classification.training").model_copy(update=changes)


def test_random_weights_need_nothing(training_options):
    (finding,) = check_resnet_weights(training_options(weights=None), load=True)
    assert (finding.level, finding.says) == ("ok", "resnet18 starts from random weights, loaded")


def test_torchvisions_weights_are_looked_for_where_torch_puts_them(training_options, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    options = training_options(weights="DEFAULT")
    (finding,) = check_resnet_weights(options, load=False)
    assert finding.level == "advice"
    assert f"into {tmp_path}/checkpoints" in finding.advice
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "resnet18-f37072fd.pth").touch()
    assert [finding.level for finding in check_resnet_weights(options, load=False)] == ["ok"]


def test_weights_of_another_network_show_when_they_are_loaded(training_options, tmp_path):
    file = tmp_path / "other.safetensors"
    save_file({"other": torch.zeros(2)}, file)
    assert [one.level for one in check_resnet_weights(training_options(weights=str(file)), load=False)] == ["ok"]
    with pytest.raises(ModelFolderError, match=r"lacks .* weights of the network"):
        list(check_resnet_weights(training_options(weights=str(file)), load=True))
    with pytest.raises(ModelFolderError, match=r"0 of \d+ tensors in .* fit"):
        list(check_yolo_weights(detection_options(weights=str(file)), load=True))


def test_the_embedded_detector_is_fine_and_loads():
    (finding,) = check_yolo_weights(detection_options(weights="embedded:detector"), load=True)
    assert (finding.level, finding.says) == ("ok", "yolo11n starts from embedded:detector, loaded")


def test_a_pickle_is_worth_advice_and_not_opened(tmp_path):
    file = tmp_path / "yolo11n.pt"
    file.write_bytes(b"no pickle")
    (finding,) = check_yolo_weights(detection_options(weights=str(file)), load=False)
    assert finding.level == "advice"
    assert "a pickle, which can run code" in finding.says


def test_weights_that_are_not_there_are_refused(training_options, tmp_path):
    gone = str(tmp_path / "x.safetensors")
    with pytest.raises(ModelFolderError, match=r"do not exist; correct training\.weights"):
        list(check_resnet_weights(training_options(weights=gone), load=False))
    with pytest.raises(ModelFolderError, match=r"do not exist; correct training\.weights"):
        list(check_yolo_weights(detection_options(weights=gone), load=False))
