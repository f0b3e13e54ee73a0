"""Trains one ResNet per seed on a training set; finished seeds are kept, so a crash costs one seed."""

import hashlib
import json
import logging
import math
import os
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tqdm import tqdm

from diffaug_pipeline.classification.augmentation import Augmentation
from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.classification.pixels import PixelFile, decode_to_file
from diffaug_pipeline.classification.resnet import build_resnet, normalize
from diffaug_pipeline.classification.sampling import draw_batches
from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.progress import progress_bar
from diffaug_pipeline.seeding import derive_seed

CONFIG, TRAINING, WEIGHTS = "config.json", "training.json", "model.safetensors"
EVALUATION_PIXELS = 2_000_000
"""Pixels that pass a network at once without gradients: about 300 MB for a ResNet-18."""
SECONDS_BETWEEN_LOOKS = 0.5
TRAINED_ON = ["image_id", "label", "sha256"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingTask:
    """What the trainings of all seeds share, small enough to send to another process."""

    rows: pd.DataFrame
    pixels: PixelFile
    val_labels: np.ndarray
    val_pixels: PixelFile
    class_names: list[str]
    options: TrainingOptions
    device: str
    folder: Path
    steps_done: Path
    """(seeds,) steps each has taken, for the progress bar."""


def train_classifiers(training_set: ImageSet, real_images: ImageSet, options: TrainingOptions, folder: Path) -> None:
    """Fills `folder` with one trained network per seed, chosen on the real validation images.

    Layout: `config.json` (architecture, classes, input), `seed_<n>/model.safetensors`, `seed_<n>/training.json`
    (history, best step, seconds).
    """
    for leftover in folder.glob(".*/"):
        shutil.rmtree(leftover)
    class_names, validation = real_images.class_names, real_images.where(split="val")
    config = {
        "class_names": class_names,
        **options.model_dump(exclude={"seeds", "workers", "device"}),
        "training_data": _digest(training_set.index[[*TRAINED_ON, "sampling_weight", "loss_weight"]]),
        "validation_data": _digest(validation.index[TRAINED_ON]),
    }
    _keep_seeds_of(config, folder)
    open_seeds = [seed for seed in options.seeds if not _seed_folder(folder, seed).exists()]
    if not open_seeds:
        return
    size, fit = options.input_size_px, options.fit
    with TemporaryDirectory(prefix=".scratch-", dir=folder) as scratch:
        steps_done = Path(scratch) / "steps_done.npy"
        np.lib.format.open_memmap(steps_done, "w+", np.int64, (len(open_seeds),)).flush()
        task = TrainingTask(
            rows=training_set.index[["label", "origin", "sampling_weight", "loss_weight"]],
            pixels=decode_to_file(training_set, size, fit, Path(scratch) / "train.npy"),
            val_labels=_label_numbers(validation.index["label"], class_names),
            val_pixels=decode_to_file(validation, size, fit, Path(scratch) / "val.npy"),
            class_names=class_names,
            options=options,
            device=choose_device(options.device),
            folder=folder,
            steps_done=steps_done,
        )
        _train_seeds(task, open_seeds)


def _digest(rows: pd.DataFrame) -> str:
    return hashlib.sha256(rows.to_csv(index=False).encode()).hexdigest()


def _keep_seeds_of(config: dict[str, Any], folder: Path) -> None:
    """Finished seeds stay if they were trained on the same data with the same options; else they make room."""
    file, described = folder / CONFIG, json.dumps(config, indent=2)
    seeds = list(folder.glob("seed_*/"))
    if seeds and file.read_text() != described:
        logger.warning("%d finished seeds were trained on other data or with other options: training anew", len(seeds))
        for seed in seeds:
            shutil.rmtree(seed)
    file.write_text(described)


def _train_seeds(task: TrainingTask, seeds: list[int]) -> None:
    """One after the other, or on a CPU side by side, each with its share of the cores.

    Seeds that do not fill a last round share all cores in it. How seeds are grouped is decided by the options and not
    by which of them are left, so that a resumed training computes as an uninterrupted one does.
    """
    every, cores = task.options.seeds, _usable_cores()
    workers = min(len(every), task.options.workers or cores) if task.device == "cpu" else 1
    slots = {seed: slot for slot, seed in enumerate(seeds)}
    with progress_bar(len(seeds) * task.options.steps, f"training {len(seeds)} seeds", "steps") as bar:
        if workers == 1:
            for seed, slot in slots.items():
                train_seed(task, seed, slot, bar.update)
            return
        full = len(every) - len(every) % workers
        spawn = get_context("spawn")
        with ProcessPoolExecutor(workers, spawn, initializer=_start_worker, initargs=(os.getpid(),)) as pool:
            for together in (every[:full], every[full:]):
                threads = max(1, cores // min(workers, len(together) or 1))
                open_slots = {seed: slots[seed] for seed in together if seed in slots}
                _train_side_by_side(pool, task, open_slots, threads, bar)


def _train_side_by_side(
    pool: ProcessPoolExecutor, task: TrainingTask, slots: dict[int, int], threads: int, bar: tqdm
) -> None:
    running = {pool.submit(_train_in_worker, task, seed, slot, threads) for seed, slot in slots.items()}
    steps_done = np.load(task.steps_done, mmap_mode="r")
    try:
        while running:
            finished, running = wait(running, timeout=SECONDS_BETWEEN_LOOKS)
            bar.update(int(steps_done.sum()) - bar.n)
            for future in finished:
                future.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in active_children():
            worker.terminate()
        raise


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start_worker(parent: int) -> None:
    """Leaves interrupts to the parent and dies with it, which may be killed and started anew."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=watch, daemon=True).start()


def _train_in_worker(task: TrainingTask, seed: int, slot: int, threads: int) -> None:
    torch.set_num_threads(threads)
    train_seed(task, seed, slot)


def train_seed(task: TrainingTask, seed: int, slot: int, on_step: Callable[[], Any] | None = None) -> None:
    """Trains with one seed and renames the result into place; counts its steps in `slot` of `steps_done`.

    The seed decides initial weights, the order of images and their augmentation; arms with equal seeds share all three.
    """
    options, started = task.options, time.perf_counter()
    torch.manual_seed(derive_seed(seed, "initial weights"))
    model = build_resnet(options.architecture, options.weights, len(task.class_names)).to(task.device)
    decay, no_decay = _parameter_groups(model)
    optimizer = torch.optim.AdamW(
        [{"params": decay, "weight_decay": options.weight_decay}, {"params": no_decay, "weight_decay": 0.0}],
        lr=options.learning_rate,
        betas=(0.9, 0.99),
        fused=True,
    )
    augment = Augmentation(options.augmentation, options.input_size_px)
    batches = draw_batches(
        task.rows, options.steps, options.batch_size, np.random.default_rng(derive_seed(seed, "order"))
    )
    labels = torch.from_numpy(_label_numbers(task.rows["label"], task.class_names))
    loss_weights = torch.from_numpy(task.rows["loss_weight"].to_numpy(np.float32, copy=True))
    pixels, val_pixels = task.pixels.open(), task.val_pixels.open()
    steps_done = np.load(task.steps_done, mmap_mode="r+")
    evaluate_at = {math.ceil(options.steps * (k + 1) / options.evaluations) for k in range(options.evaluations)}
    history, best, recent = [], None, []
    torch.manual_seed(derive_seed(seed, "augmentation"))
    for step, rows in enumerate(batches, start=1):
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * _learning_rate_factor(step, options)
        model.train()
        images = augment(torch.from_numpy(pixels[rows]))
        losses = F.cross_entropy(
            model(normalize(images.to(task.device))),
            labels[rows].to(task.device),
            reduction="none",
            label_smoothing=options.label_smoothing,
        )
        weights = loss_weights[rows].to(task.device)
        loss = (losses * weights).sum() / weights.sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        recent.append(loss.item())
        steps_done[slot] = step
        if on_step is not None:
            on_step()
        if step in evaluate_at:
            accuracy, val_loss = _validate(model, val_pixels, task.val_labels, task.device)
            history.append(
                {"step": step, "loss": float(np.mean(recent)), "val_accuracy": accuracy, "val_loss": val_loss}
            )
            recent.clear()
            if best is None or accuracy >= best["val_accuracy"]:
                best = {**history[-1], "state": {name: value.clone() for name, value in model.state_dict().items()}}
    _store(task.folder, seed, best, history, time.perf_counter() - started)


def _store(folder: Path, seed: int, best: dict[str, Any], history: list[dict[str, float]], seconds: float) -> None:
    partial, final = folder / f".seed_{seed}", _seed_folder(folder, seed)
    partial.mkdir()
    state = best.pop("state")
    save_file({name: value.contiguous().cpu() for name, value in state.items()}, partial / WEIGHTS)
    described = {"seed": seed, "best": best, "history": history, "seconds": round(seconds, 2)}
    (partial / TRAINING).write_text(json.dumps(described, indent=2))
    partial.rename(final)


def _seed_folder(folder: Path, seed: int) -> Path:
    return folder / f"seed_{seed}"


def _parameter_groups(model: torch.nn.Module) -> tuple[list[torch.nn.Parameter], list[torch.nn.Parameter]]:
    """Weights, and biases with normalisation scales, which are not decayed."""
    parameters = list(model.parameters())
    return [p for p in parameters if p.ndim > 1], [p for p in parameters if p.ndim <= 1]


def _learning_rate_factor(step: int, options: TrainingOptions) -> float:
    if step <= options.warmup_steps:
        return step / options.warmup_steps
    done = (step - options.warmup_steps) / max(1, options.steps - options.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * done))


@torch.inference_mode()
def _validate(model: torch.nn.Module, pixels: np.ndarray, labels: np.ndarray, device: str) -> tuple[float, float]:
    """Accuracy and cross-entropy."""
    logits = predict_logits(model, pixels, device)
    targets = torch.from_numpy(labels)
    accuracy = (logits.argmax(1) == targets).float().mean().item()
    return accuracy, F.cross_entropy(logits, targets).item()


@torch.inference_mode()
def predict_logits(model: torch.nn.Module, pixels: np.ndarray, device: str) -> torch.Tensor:
    """(N, C) logits of (N, 3, S, S) uint8 pixels."""
    model.eval()
    together = evaluation_batch(pixels.shape[-1])
    parts = (torch.from_numpy(pixels[start : start + together].copy()) for start in range(0, len(pixels), together))
    return torch.cat([model(normalize(part.to(device))).cpu() for part in parts])


def evaluation_batch(size_px: int) -> int:
    """How many pictures of `size_px` pass a network at once."""
    return max(1, EVALUATION_PIXELS // size_px**2)


def _label_numbers(labels: pd.Series, class_names: list[str]) -> np.ndarray:
    return labels.map({name: number for number, name in enumerate(class_names)}).to_numpy(np.int64, copy=True)
