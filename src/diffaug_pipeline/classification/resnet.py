"""The network: a torchvision ResNet with our number of classes."""

from pathlib import Path

import torch
import torchvision
from safetensors.torch import load_file
from torch import nn

from diffaug_pipeline.classification.small_maps import use_small_map_convolutions
from diffaug_pipeline.errors import ModelFolderError
from diffaug_pipeline.synthesis.models import loading_errors

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def build_resnet(architecture: str, weights: str | None, classes: int) -> nn.Module:
    """`weights` is null for random ones, DEFAULT for torchvision's, else a safetensors file; the head is always new."""
    named = "DEFAULT" if weights == "DEFAULT" else None
    model = torchvision.models.get_model(architecture, weights=named)
    if weights not in (None, "DEFAULT"):
        _load_body(model, Path(weights).expanduser())
    model.fc = nn.Linear(model.fc.in_features, classes)
    model.to(memory_format=torch.channels_last)
    use_small_map_convolutions(model)
    return model


def normalize(pixels: torch.Tensor) -> torch.Tensor:
    """(N, 3, S, S) uint8 -> float with ImageNet's mean and deviation, which pretrained weights expect."""
    mean, std = (
        torch.tensor(values, device=pixels.device)[:, None, None] * 255 for values in (IMAGENET_MEAN, IMAGENET_STD)
    )
    return ((pixels.float() - mean) / std).contiguous(memory_format=torch.channels_last)


def _load_body(model: nn.Module, file: Path) -> None:
    if file.suffix != ".safetensors" or not file.is_file():
        raise ModelFolderError(f"weights must be null, DEFAULT or an existing .safetensors file, not {file}.")
    with loading_errors(str(file)):
        state = {name: value for name, value in load_file(file).items() if not name.startswith("fc.")}
        problems = model.load_state_dict(state, strict=False)
    if missing := [name for name in problems.missing_keys if not name.startswith("fc.")]:
        raise ModelFolderError(f"{file} lacks {len(missing)} weights of the network, e.g. {missing[0]}.")
