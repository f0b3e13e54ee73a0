"""AdamW with linear warm-up and cosine decay."""

import math

import torch

from diffaug_pipeline.training.options import TrainingLoopOptions


def build_optimizer(model: torch.nn.Module, options: TrainingLoopOptions) -> torch.optim.AdamW:
    """Biases and normalisation scales are not decayed."""
    parameters = list(model.parameters())
    return torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": options.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=options.learning_rate,
        betas=(0.9, 0.99),
        fused=True,
    )


def set_learning_rate(optimizer: torch.optim.Optimizer, step: int, options: TrainingLoopOptions) -> None:
    """For `step`, counted from 1."""
    for group in optimizer.param_groups:
        group["lr"] = options.learning_rate * _factor(step, options)


def evaluation_steps(options: TrainingLoopOptions) -> set[int]:
    """The steps, counted from 1, after which the network is tried on validation images."""
    return {math.ceil(options.steps * (k + 1) / options.evaluations) for k in range(options.evaluations)}


def _factor(step: int, options: TrainingLoopOptions) -> float:
    if step <= options.warmup_steps:
        return step / options.warmup_steps
    done = (step - options.warmup_steps) / max(1, options.steps - options.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * done))
