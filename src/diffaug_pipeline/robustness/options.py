"""Parameters of the robustness study."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from diffaug_pipeline.options import Options

BoxKeepingCorruption = Literal[
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "speckle_noise",
    "gaussian_blur",
    "defocus_blur",
    "motion_blur",
    "snow",
    "fog",
    "brightness",
    "contrast",
    "pixelate",
    "jpeg_compression",
]
"""Corruptions after which every object lies where it lay before."""
Corruption = BoxKeepingCorruption | Literal["zoom_blur", "elastic_transform"]
Severity = Annotated[int, Field(ge=1, le=5)]


class RobustnessOptions(Options):
    """Which corruptions of which test images an arm is measured on."""

    corruptions: list[Corruption] = Field(min_length=1)
    severities: list[Severity] = Field(min_length=1)
    """From 1, slight, to 5, hard even for a person."""
    max_images: int = Field(ge=2)
    """Real test images that are corrupted, at most; for classification each class has its share of them."""
    bootstrap_samples: int = Field(ge=200)
    """Resamples of these images behind each interval."""
    seed: int = Field(ge=0)
    """Of the choice of images, the corruptions and the bootstrap."""

    @field_validator("corruptions", "severities")
    @classmethod
    def _differ(cls, values: list[str] | list[int]) -> list[str] | list[int]:
        if len(set(values)) < len(values):
            raise ValueError("every one may be named once only")
        return values


class DetectionRobustnessOptions(RobustnessOptions):
    """The same for detectors, whose true boxes have to stay true."""

    corruptions: list[BoxKeepingCorruption] = Field(min_length=1)
    calibration_bins: int = Field(ge=2)
    """Bins of the expected calibration error."""
    min_confidence: float = Field(ge=0, lt=1)
    """Less confident detections, nearly all of them wrong and known to be, are no part of the calibration."""
