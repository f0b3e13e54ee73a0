"""Parameters of merging."""

from typing import Literal

from pydantic import Field

from diffaug_pipeline.options import Options


class MergingOptions(Options):
    """How synthetic images enter training. Every arm trains for the same number of steps."""

    policy: Literal["replace", "concatenate", "loss_weight"]
    """`replace`: a real sample gives way to a synthetic one of its class with `probability`; `concatenate`: all images
    are drawn equally often; `loss_weight`: like `concatenate`, with the loss of synthetic images scaled."""
    probability: float = Field(gt=0, lt=1)
    """Of replacing, for policy `replace`."""
    synthetic_loss_weight: float = Field(gt=0)
    """For policy `loss_weight`; real images count 1."""
    seed: int = Field(ge=0)
    """Decides which images the random control draws."""
