"""Parameters of merging."""

from typing import Literal

from pydantic import Field

from diffaug_pipeline.options import Options


class MergingOptions(Options):
    """How synthetic images enter training. Every arm trains for the same number of steps."""

    policy: Literal["replace", "concatenate", "loss_weight", "pretrain_finetune", "replace_early"]
    """`replace`: a real sample gives way to a synthetic one of its class with `probability`; `concatenate`: all images
    are drawn equally often; `loss_weight`: like `concatenate`, with the loss of synthetic images scaled;
    `pretrain_finetune`: synthetic images alone, then real ones alone; `replace_early`: like `replace`, then real ones
    alone. A class without synthetic images keeps its real ones throughout."""
    probability: float = Field(gt=0, lt=1)
    """Of replacing, for policies `replace` and `replace_early`."""
    synthetic_loss_weight: float = Field(gt=0)
    """For policy `loss_weight`; real images count 1."""
    synthetic_steps_share: float = Field(gt=0, lt=1)
    """Share of the steps that comes first and has synthetic images, for policies `pretrain_finetune` and
    `replace_early`."""
    seed: int = Field(ge=0)
    """Decides which images the random control draws."""
