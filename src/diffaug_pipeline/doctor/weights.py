"""Weights that training starts from: files of one's own, an embedded network, or torchvision's."""

from collections.abc import Iterator
from pathlib import Path

from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.detection.options import DetectionTrainingOptions
from diffaug_pipeline.doctor.finding import Finding
from diffaug_pipeline.doctor.models import CLASS_NAME
from diffaug_pipeline.embedded import embedded_folder
from diffaug_pipeline.errors import ModelFolderError
from diffaug_pipeline.synthesis.checks import check_safetensors

TORCHVISION = "DEFAULT"


def check_resnet_weights(training: TrainingOptions, *, load: bool) -> Iterator[Finding]:
    """Raises `ModelFolderError` if the file is not there, damaged, or, once loaded, of another network."""
    if training.weights == TORCHVISION:
        file = _torchvision_file(training.architecture)
        if not file.is_file():
            yield Finding(
                "advice",
                f"torchvision's weights of {training.architecture} are not on this machine",
                f"the first run downloads them; without a network, put {file.name} into {file.parent}.",
            )
            return
    elif training.weights is not None:
        _check_file(Path(training.weights).expanduser(), training.weights)
    if load:
        from diffaug_pipeline.classification.resnet import build_resnet

        build_resnet(training.architecture, training.weights, classes=2)
    yield Finding("ok", _describe(training, load))


def check_yolo_weights(training: DetectionTrainingOptions, *, load: bool) -> Iterator[Finding]:
    """Raises `ModelFolderError` if the file is not there, damaged, or, once loaded, of another network."""
    if training.weights is not None:
        path = embedded_folder(training.weights) or Path(training.weights).expanduser()
        _check_file(path / "model.safetensors" if path.is_dir() else path, training.weights)
    if load:
        from diffaug_pipeline.detection.yolo import build_yolo, start_from

        network = build_yolo(training.architecture, [CLASS_NAME])
        if training.weights is not None:
            start_from(network, training.weights)
    says = _describe(training, load)
    if training.weights is not None and training.weights.endswith(".pt"):
        yield Finding("advice", f"{says}: a pickle, which can run code when it is read", "use only one that you trust.")
    else:
        yield Finding("ok", says)


def _check_file(file: Path, named: str) -> None:
    if not file.is_file():
        raise ModelFolderError(f"the weights {named!r} do not exist; correct training.weights, or set it to null.")
    if file.suffix == ".safetensors":
        check_safetensors(file)


def _torchvision_file(architecture: str) -> Path:
    import torch
    import torchvision

    weights = torchvision.models.get_model_weights(architecture).DEFAULT
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name


def _describe(training: TrainingOptions | DetectionTrainingOptions, loaded: bool) -> str:
    start = "random weights" if training.weights is None else training.weights
    return f"{training.architecture} starts from {start}{', loaded' * loaded}"
