"""Trainings of no network, where spawned processes find them."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from diffaug_pipeline.training.seeds import TrainedSeed


def note_threads(seed: int, on_step: Callable[[], Any]) -> TrainedSeed:
    """Keeps as its weights how many threads it was given."""
    on_step()
    row = {"step": 1, "loss": float(seed)}
    return TrainedSeed({"threads": torch.tensor(torch.get_num_threads())}, row, [row])


def fail_with_seed_1(seed: int, on_step: Callable[[], Any]) -> TrainedSeed:
    """Seed 1 fails, the others train."""
    if seed == 1:
        raise RuntimeError("out of memory")
    return note_threads(seed, on_step)


def fail_once_the_other_works(scratch: Path, seed: int, on_step: Callable[[], Any]) -> TrainedSeed:
    """Seed 0 would train for ten minutes; seed 1 fails as soon as it does."""
    if seed == 0:
        (scratch / "at work").touch()
        time.sleep(600)
    while not (scratch / "at work").exists():
        time.sleep(0.05)
    raise RuntimeError("out of memory")
