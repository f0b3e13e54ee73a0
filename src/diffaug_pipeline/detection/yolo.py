"""YOLO networks of Ultralytics: built from a name, started from weights, fed and read out."""

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from diffaug_pipeline.detection.options import LossGains
from diffaug_pipeline.detection.ultralytics_api import DetectionModel, IterableSimpleNamespace, non_max_suppression
from diffaug_pipeline.embedded import embedded_folder
from diffaug_pipeline.errors import ModelFolderError
from diffaug_pipeline.synthesis.models import loading_errors

WEIGHTS, CONFIG = "model.safetensors", "config.json"
OBJECTS_EXPECTED = 5
"""In a picture, as Ultralytics assumes."""
MAX_DETECTIONS = 100
"""Per picture, as COCO counts them."""


def build_yolo(architecture: str, class_names: Sequence[str], gains: LossGains | None = None) -> DetectionModel:
    """A network with random weights, ready for training where loss `gains` are given."""
    model = DetectionModel(f"{architecture}.yaml", nc=len(class_names), verbose=False)
    model.names = dict(enumerate(class_names))
    if gains is not None:
        model.args = IterableSimpleNamespace(**gains.model_dump())
    return model.to(memory_format=torch.channels_last)  # a sixth faster on a CPU


def expect_objects(model: DetectionModel, size_px: int) -> None:
    """Sets what a fresh network expects: a few objects in a picture of `size_px`, of any class (Lin et al. 2017, 4.1).

    Ultralytics sets it for 640 px, where a cell is much less likely to hold one; a network for small pictures would
    spend most of a short training on unlearning that.
    """
    head = model.model[-1]
    for layers, stride in zip(head.cv3, head.stride, strict=True):
        cells = (size_px / float(stride)) ** 2
        torch.nn.init.constant_(layers[-1].bias, math.log(OBJECTS_EXPECTED / head.nc / cells))


def start_from(model: DetectionModel, weights: str) -> int:
    """Loads what fits of `weights` into `model`; returns how many tensors those are.

    `weights` is `embedded:detector`, a folder with `model.safetensors`, such a file, or an official `.pt`, whose
    pickle is only loaded because the user names it. Tensors of another shape, as the last layers of a network for
    other classes have, keep their random values. Raises `ModelFolderError` where nothing fits.
    """
    state = _read_weights(weights)
    own = model.state_dict()
    fitting = {name: value for name, value in state.items() if name in own and own[name].shape == value.shape}
    if len(fitting) < len(own) // 2:
        raise ModelFolderError(
            f"{len(fitting)} of {len(own)} tensors in {weights} fit; it holds another architecture: change "
            "training.architecture or training.weights."
        )
    model.load_state_dict(fitting, strict=False)
    return len(fitting)


def _read_weights(weights: str) -> dict[str, Tensor]:
    path = _locate_weights(weights)
    with loading_errors(weights):
        if path.suffix == ".safetensors":
            return {name: value.float() for name, value in load_file(path).items()}
        if path.suffix == ".pt":
            checkpoint = torch.load(path, map_location="cpu", weights_only=False)
            return (checkpoint.get("ema") or checkpoint["model"]).float().state_dict()
    raise ModelFolderError(f"{weights} is neither a .safetensors nor a .pt file.")


def _locate_weights(weights: str) -> Path:
    path = embedded_folder(weights) or Path(weights).expanduser()
    if path.is_dir():
        path = path / WEIGHTS
    if not path.is_file():
        raise ModelFolderError(
            f"the weights {weights!r} do not exist; name embedded:detector, a .safetensors file, or an official .pt "
            "that you have downloaded. Nothing is downloaded here."
        )
    return path


def weights_digest(weights: str) -> str:
    """SHA-256 of the file that `start_from` reads: the same path may hold other weights tomorrow."""
    with _locate_weights(weights).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@torch.inference_mode()
def detect(model: DetectionModel, pixels: Tensor, confidence: float, iou: float) -> list[np.ndarray]:
    """Per picture of (N, 3, S, S) uint8 `pixels`: (M, 6) left, top, right, bottom, confidence, class number.

    At most `MAX_DETECTIONS` above `confidence`, after suppression of those that overlap a better one of their class by
    more than `iou`. As in Ultralytics' validation, one place may be found as several classes. Its time limit is lifted:
    it would leave the last pictures of a batch without detections on a busy machine.
    """
    model.eval()
    found = non_max_suppression(
        model(pixels.float() / 255)[0],
        conf_thres=confidence,
        iou_thres=iou,
        multi_label=True,
        max_det=MAX_DETECTIONS,
        max_time_img=math.inf,
    )
    return [rows[:, :6].float().cpu().numpy() for rows in found]
