"""Parameters of classification."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from diffaug_pipeline.imaging.options import Fit
from diffaug_pipeline.options import Options


class AugmentationOptions(Options):
    """Traditional augmentation, the same in every arm."""

    horizontal_flip: bool
    max_shift: float = Field(ge=0, lt=1)
    """Random shift in each direction, as a share of the input size."""
    policy: Literal["none", "trivial_augment", "rand_augment"]
    """A torchvision v2 policy on top."""


class TrainingOptions(Options):
    """How every ResNet of a comparison is trained."""

    architecture: Literal["resnet18", "resnet34", "resnet50", "resnet101"]
    weights: str | None
    """null trains from scratch, DEFAULT takes torchvision's ImageNet weights, else a safetensors file."""
    input_size_px: int = Field(ge=16)
    fit: Fit
    """How pictures are brought to the input size."""
    steps: int = Field(ge=1)
    """Optimisation steps, equal in every arm."""
    batch_size: int = Field(ge=2)
    learning_rate: float = Field(gt=0)
    """Peak of AdamW's, after linear warm-up; cosine decay to zero."""
    warmup_steps: int = Field(ge=0)
    weight_decay: float = Field(ge=0)
    """Of AdamW; biases and normalisation are not decayed."""
    label_smoothing: float = Field(ge=0, lt=1)
    augmentation: AugmentationOptions
    evaluations: int = Field(ge=1)
    """How often validation accuracy is measured; the best checkpoint is kept."""
    seeds: list[int] = Field(min_length=1)
    """One training each; equal seeds are paired across arms."""
    workers: int | None = Field(ge=1)
    """Seeds trained side by side in one-thread processes on a CPU; null takes one per core."""
    device: str
    """`auto`, or what torch calls the device."""

    @field_validator("seeds")
    @classmethod
    def _differ(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("every seed may be named once only")
        return seeds

    @model_validator(mode="after")
    def _warms_up_in_time(self) -> "TrainingOptions":
        if self.warmup_steps >= self.steps:
            raise ValueError(f"warmup_steps ({self.warmup_steps}) must be less than steps ({self.steps})")
        return self
