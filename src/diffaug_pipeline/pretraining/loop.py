"""One training loop for all embedded models: killed anywhere, it goes on from its last saved state."""

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from diffaug_pipeline.pretraining.options import LoopOptions
from diffaug_pipeline.progress import progress_bar
from diffaug_pipeline.seeding import derive_seed

STATE_FILE = "training_state.safetensors"
STEPS_PER_HISTORY_ROW = 100

LossAtStep = Callable[[nn.Module, torch.Generator], Tensor]


def train(
    model: nn.Module, loss_at_step: LossAtStep, options: LoopOptions, folder: Path, description: str
) -> tuple[nn.Module, list[dict[str, float]]]:
    """Minimises `loss_at_step(model, generator)`; returns the averaged model and the loss history.

    Each step draws from a generator seeded by its number, so a resumed training equals an uninterrupted one.
    The state lives in `folder` until `save_history` closes the training.
    """
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay, betas=(0.9, 0.99)
    )
    average = copy.deepcopy(model).requires_grad_(False)
    state_file = folder / STATE_FILE
    start, history, recent = _restore(state_file, model, average, optimizer)
    with progress_bar(options.steps, description, "steps", initial=start) as bar:
        for step in range(start, options.steps):
            for group in optimizer.param_groups:
                group["lr"] = options.learning_rate * learning_rate_factor(step, options)
            generator = torch.Generator().manual_seed(derive_seed(options.seed, description, step))
            loss = loss_at_step(model, generator)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            _update_average(average, model, min(options.ema_decay, (1 + step) / (10 + step)))
            recent.append(loss.item())
            bar.update()
            if (step + 1) % STEPS_PER_HISTORY_ROW == 0 or step + 1 == options.steps:
                history.append({"step": step + 1, "loss": sum(recent) / len(recent)})
                bar.set_postfix(loss=f"{history[-1]['loss']:.4f}")
                recent.clear()
            if (step + 1) % options.checkpoint_every == 0:
                progress = {"step": step + 1, "history": history, "recent": recent}
                _store(state_file, model, average, optimizer, progress)
    return average.eval(), history


def save_history(history: list[dict[str, float]], folder: Path) -> None:
    """Writes the loss history beside the finished model and removes the training state."""
    (folder / "history.json").write_text(json.dumps(history))
    (folder / STATE_FILE).unlink(missing_ok=True)


def learning_rate_factor(step: int, options: LoopOptions) -> float:
    """Share of the peak learning rate at `step`, in [0, 1]: linear up, cosine down."""
    if step < options.warmup_steps:
        return (step + 1) / options.warmup_steps
    done = (step - options.warmup_steps) / max(1, options.steps - options.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * done))


@torch.no_grad()
def _update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    for kept, current in zip(average.parameters(), model.parameters(), strict=True):
        kept.lerp_(current, 1 - decay)
    for kept, current in zip(average.buffers(), model.buffers(), strict=True):
        kept.copy_(current)


def _store(
    file: Path, model: nn.Module, average: nn.Module, optimizer: torch.optim.AdamW, progress: dict[str, Any]
) -> None:
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    for index, slots in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{slot}": value for slot, value in slots.items()}
    unshared = {name: value.detach().clone().contiguous() for name, value in tensors.items()}
    partial = file.with_suffix(".partial")
    save_file(unshared, partial, metadata={key: json.dumps(value) for key, value in progress.items()})
    partial.replace(file)


def _restore(
    file: Path, model: nn.Module, average: nn.Module, optimizer: torch.optim.AdamW
) -> tuple[int, list[dict[str, float]], list[float]]:
    """Step, history and the losses since its last row."""
    if not file.exists():
        return 0, [], []
    with safe_open(file, "pt") as state:
        metadata = state.metadata()
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "optimizer": {}}
        for key in state.keys():  # noqa: SIM118 (not a dict)
            group, name = key.split(".", 1)
            groups[group][name] = state.get_tensor(key)
    model.load_state_dict(groups["model"])
    average.load_state_dict(groups["average"])
    slots: dict[int, dict[str, Tensor]] = {}
    for name, value in groups["optimizer"].items():
        index, slot = name.split(".", 1)
        slots.setdefault(int(index), {})[slot] = value
    optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
    return tuple(json.loads(metadata[key]) for key in ("step", "history", "recent"))
