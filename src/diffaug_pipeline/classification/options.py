"""Parameters of classification."""

from typing import Literal

from pydantic import Field

from diffaug_pipeline.imaging.options import Fit
from diffaug_pipeline.options import Options
from diffaug_pipeline.training.options import TrainingLoopOptions


class AugmentationOptions(Options):
    """Traditional augmentation, the same in every arm."""

    horizontal_flip: bool
    max_shift: float = Field(ge=0, lt=1)
    """Random shift in each direction, as a share of the input size."""
    policy: Literal["none", "trivial_augment", "rand_augment"]
    """A torchvision v2 policy on top."""


class TrainingOptions(TrainingLoopOptions):
    """How every ResNet of a comparison is trained."""

    architecture: Literal["resnet18", "resnet34", "resnet50", "resnet101"]
    weights: str | None
    """null trains from scratch, DEFAULT takes torchvision's ImageNet weights, else a safetensors file."""
    input_size_px: int = Field(ge=16)
    fit: Fit
    """How pictures are brought to the input size."""
    label_smoothing: float = Field(ge=0, lt=1)
    augmentation: AugmentationOptions
