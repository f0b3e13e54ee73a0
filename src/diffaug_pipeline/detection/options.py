"""Parameters of detection."""

from pydantic import Field

from diffaug_pipeline.options import Options


class LossGains(Options):
    """Weights of the terms of Ultralytics' detection loss."""

    box: float = Field(gt=0)
    """Of the IoU loss."""
    cls: float = Field(gt=0)
    """Of the classification loss."""
    dfl: float = Field(gt=0)
    """Of the distribution focal loss."""
