"""Parameters of evaluation."""

from typing import Literal

from pydantic import Field

from diffaug_pipeline.options import Options


class ComparisonOptions(Options):
    """How arms are compared, whatever the task."""

    metric: str
    """What the verdict is about."""
    confidence: float = Field(gt=0.5, lt=1)
    """Of every interval."""
    minimum_effect: float = Field(ge=0, lt=1)
    """Smallest difference worth having, as a share: 0.01 is one point."""
    min_seeds: int = Field(ge=2)
    """With fewer paired seeds the verdict can only be inconclusive."""
    bootstrap_samples: int = Field(ge=200)
    """Resamples of the test images behind each interval."""
    gallery_images: int = Field(ge=0)
    """Pictures per row of the report's galleries."""
    seed: int = Field(ge=0)
    """Of the bootstrap."""


class EvaluationOptions(ComparisonOptions):
    """How arms of classifiers are compared."""

    metric: Literal["top1_accuracy", "macro_f1"]
    calibration_bins: int = Field(ge=2)
    """Bins of the expected calibration error."""


class DetectionEvaluationOptions(ComparisonOptions):
    """How arms of detectors are compared."""

    metric: Literal["map_50_95", "map_50"]
