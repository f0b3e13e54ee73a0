"""Parameters of detection."""

from typing import Literal

from pydantic import Field

from diffaug_pipeline.imaging.options import Fit
from diffaug_pipeline.options import Options
from diffaug_pipeline.training.options import TrainingLoopOptions

Architecture = Literal[
    "yolov8n", "yolov8s", "yolov8m", "yolov8l", "yolov8x", "yolo11n", "yolo11s", "yolo11m", "yolo11l", "yolo11x"
]


class LossGains(Options):
    """Weights of the terms of Ultralytics' detection loss."""

    box: float = Field(gt=0)
    """Of the IoU loss."""
    cls: float = Field(gt=0)
    """Of the classification loss."""
    dfl: float = Field(gt=0)
    """Of the distribution focal loss."""


class DetectionAugmentationOptions(Options):
    """Ultralytics' own augmentation, the same in every arm."""

    mosaic: float = Field(ge=0, le=1)
    """Chance that four pictures are put together."""
    steps_without_mosaic: int = Field(ge=0)
    """At the end of training, so that it ends on whole pictures."""
    scale: float = Field(ge=0, lt=1)
    """Pictures are enlarged or reduced by up to this share."""
    translate: float = Field(ge=0, le=1)
    """Random shift, as a share of the picture."""
    degrees: float = Field(ge=0, le=180)
    fliplr: float = Field(ge=0, le=1)
    """Chance of mirroring left to right."""
    hsv_h: float = Field(ge=0, le=1)
    hsv_s: float = Field(ge=0, le=1)
    hsv_v: float = Field(ge=0, le=1)


class DetectionTrainingOptions(TrainingLoopOptions):
    """How every YOLO of a comparison is trained, and what it has to say before it is asked."""

    architecture: Architecture
    weights: str | None
    """null trains from scratch; `embedded:detector`, a .safetensors file, or an official .pt that you have downloaded,
    whose pickle is loaded because you name it."""
    input_size_px: int = Field(ge=32, multiple_of=32)
    fit: Fit
    """How pictures are brought to the input size."""
    gains: LossGains
    augmentation: DetectionAugmentationOptions
    min_confidence: float = Field(gt=0, lt=1)
    """Less confident detections are not kept; average precision wants nearly all of them."""
    nms_iou: float = Field(gt=0, le=1)
    """Detections that overlap a better one of their class by more are dropped."""
