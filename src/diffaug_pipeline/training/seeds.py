"""One training per seed, side by side on a CPU; finished seeds are kept, so a crash costs one seed.

A checkpoint folder holds `config.json` (all that determines the result), and for each seed `seed_<n>/model.safetensors`
and `seed_<n>/training.json` (history, best step, seconds).
"""

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.mapped_array import create_mapped_array
from diffaug_pipeline.processes import SECONDS_BETWEEN_LOOKS, usable_cores, worker_pools
from diffaug_pipeline.progress import progress_bar
from diffaug_pipeline.training.options import TrainingLoopOptions

CONFIG, TRAINING, WEIGHTS = "config.json", "training.json", "model.safetensors"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedSeed:
    """What one training leaves."""

    state: dict[str, Tensor]
    """The weights of the best evaluation."""
    best: dict[str, float]
    """The row of `history` they belong to."""
    history: list[dict[str, float]]
    """A row per evaluation, with `step`."""


TrainSeed = Callable[[int, Callable[[], Any]], TrainedSeed]
"""Trains with a seed and calls back after every step; has to be picklable."""


def train_all_seeds(
    config: dict[str, Any],
    options: TrainingLoopOptions,
    device: str,
    folder: Path,
    prepare: Callable[[Path], TrainSeed],
) -> None:
    """Fills `folder`; `prepare` is given a scratch folder for what the trainings share, and only called if any is left.

    `config` has to hold all that determines the result but the seed; finished seeds of another one make room.
    """
    for leftover in folder.glob(".*/"):
        shutil.rmtree(leftover)
    _keep_seeds_of(config, folder)
    open_seeds = [seed for seed in options.seeds if not _seed_folder(folder, seed).exists()]
    if not open_seeds:
        return
    with TemporaryDirectory(prefix=".scratch-", dir=folder) as scratch:
        counts = Path(scratch) / "steps_done.npy"
        create_mapped_array(counts, np.int64, (len(open_seeds),)).flush()
        train_and_store = partial(_train_and_store, prepare(Path(scratch)), folder, counts)
        _train_seeds(train_and_store, options, device, counts, open_seeds)


def digest_rows(rows: pd.DataFrame) -> str:
    """Names the content of a table."""
    return hashlib.sha256(rows.to_csv(index=False).encode()).hexdigest()


def seed_folders(checkpoint: Checkpoint) -> dict[int, str]:
    """Folder name by seed, in the order of seeds."""
    names = [path.name for path in checkpoint.folder.glob("seed_*")]
    return {int(name.removeprefix("seed_")): name for name in sorted(names, key=lambda name: int(name[5:]))}


def read_history(checkpoint: Checkpoint) -> pd.DataFrame:
    """One row per seed and evaluation: `seed`, the columns of the training's history, `is_best`, `seconds`."""
    rows = []
    for seed, name in seed_folders(checkpoint).items():
        training = checkpoint.read_json(f"{name}/{TRAINING}")
        rows += [
            {"seed": seed, **row, "is_best": row["step"] == training["best"]["step"], "seconds": training["seconds"]}
            for row in training["history"]
        ]
    return pd.DataFrame(rows)


def _keep_seeds_of(config: dict[str, Any], folder: Path) -> None:
    """Finished seeds stay if they were trained on the same data with the same options; else they make room."""
    file, described = folder / CONFIG, json.dumps(config, indent=2)
    seeds = list(folder.glob("seed_*/"))
    if seeds and file.read_text() != described:
        logger.warning("%d finished seeds were trained on other data or with other options: training anew", len(seeds))
        for seed in seeds:
            shutil.rmtree(seed)
    file.write_text(described)


def _train_seeds(
    train: Callable[..., None], options: TrainingLoopOptions, device: str, counts: Path, seeds: list[int]
) -> None:
    """One after the other, or on a CPU side by side, each with its share of the cores.

    Seeds that do not fill a last round share all cores in it. How seeds are grouped is decided by the options and not
    by which of them are left, so that a resumed training computes as an uninterrupted one does.
    """
    every, cores = options.seeds, usable_cores()
    workers = min(len(every), options.workers or cores) if device == "cpu" else 1
    slots = {seed: slot for slot, seed in enumerate(seeds)}
    with progress_bar(len(seeds) * options.steps, f"training {len(seeds)} seeds", "steps") as bar:
        if workers == 1:
            for seed, slot in slots.items():
                train(seed, slot, bar.update)
            return
        full = len(every) - len(every) % workers
        with worker_pools(1, workers) as [pool]:
            for together in (every[:full], every[full:]):
                threads = max(1, cores // min(workers, len(together) or 1))
                open_slots = {seed: slots[seed] for seed in together if seed in slots}
                _train_side_by_side(pool, partial(_train_in_worker, train, threads), open_slots, counts, bar)


def _train_side_by_side(
    pool: ProcessPoolExecutor, train: Callable[[int, int], None], slots: dict[int, int], counts: Path, bar: tqdm
) -> None:
    running = {pool.submit(train, seed, slot) for seed, slot in slots.items()}
    steps_done = np.load(counts, mmap_mode="r")
    while running:
        finished, running = wait(running, timeout=SECONDS_BETWEEN_LOOKS)
        bar.update(int(steps_done.sum()) - bar.n)
        for future in finished:
            future.result()


def _train_in_worker(train: Callable[..., None], threads: int, seed: int, slot: int) -> None:
    torch.set_num_threads(threads)
    train(seed, slot)


def _train_and_store(
    train: TrainSeed, folder: Path, counts: Path, seed: int, slot: int, on_step: Callable[[], Any] | None = None
) -> None:
    """Trains with one seed and renames the result into place; counts its steps in `slot` of the file `counts`."""
    steps_done, started = np.load(counts, mmap_mode="r+"), time.perf_counter()

    def count() -> None:
        steps_done[slot] += 1
        if on_step is not None:
            on_step()

    trained = train(seed, count)
    partial_folder, final = folder / f".seed_{seed}", _seed_folder(folder, seed)
    partial_folder.mkdir()
    weights = {name: value.contiguous().cpu() for name, value in trained.state.items()}
    save_file(weights, partial_folder / WEIGHTS)
    seconds = round(time.perf_counter() - started, 2)
    described = {"seed": seed, "best": trained.best, "history": trained.history, "seconds": seconds}
    (partial_folder / TRAINING).write_text(json.dumps(described, indent=2))
    partial_folder.rename(final)


def _seed_folder(folder: Path, seed: int) -> Path:
    return folder / f"seed_{seed}"
