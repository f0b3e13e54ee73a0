"""Trains one ResNet per seed on a training set."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from diffaug_pipeline.classification.augmentation import Augmentation
from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.classification.resnet import build_resnet, normalize
from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.seeding import derive_seed
from diffaug_pipeline.training.optimization import build_optimizer, evaluation_steps, set_learning_rate
from diffaug_pipeline.training.pixels import PixelFile, decode_to_file
from diffaug_pipeline.training.sampling import DRAWN_BY, draw_batches
from diffaug_pipeline.training.seeds import TrainedSeed, digest_rows, train_all_seeds

EVALUATION_PIXELS = 2_000_000
"""Pixels that pass a network at once without gradients: about 300 MB for a ResNet-18."""
TRAINED_ON = ["image_id", "label", "sha256"]


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


def train_classifiers(training_set: ImageSet, real_images: ImageSet, options: TrainingOptions, folder: Path) -> None:
    """Fills `folder` (see `training.seeds`) with a network per seed, chosen on the real validation images."""
    class_names, validation = real_images.class_names, real_images.where(split="val")
    device = choose_device(options.device)
    config = {
        "class_names": class_names,
        **options.model_dump(exclude={"seeds", "workers", "device"}),
        "training_data": digest_rows(training_set.index[[*TRAINED_ON, *DRAWN_BY, "loss_weight"]]),
        "validation_data": digest_rows(validation.index[TRAINED_ON]),
    }

    def prepare(scratch: Path) -> Callable[..., TrainedSeed]:
        size, fit = options.input_size_px, options.fit
        task = TrainingTask(
            rows=training_set.index[["label", "origin", *DRAWN_BY, "loss_weight"]],
            pixels=decode_to_file(training_set, size, fit, scratch / "train.npy"),
            val_labels=_label_numbers(validation.index["label"], class_names),
            val_pixels=decode_to_file(validation, size, fit, scratch / "val.npy"),
            class_names=class_names,
            options=options,
            device=device,
        )
        return partial(train_seed, task)

    train_all_seeds(config, options, device, folder, prepare)


def train_seed(task: TrainingTask, seed: int, on_step: Callable[[], Any]) -> TrainedSeed:
    """One training.

    The seed decides initial weights, the order of images and their augmentation; arms with equal seeds share all three.
    """
    options = task.options
    torch.manual_seed(derive_seed(seed, "initial weights"))
    model = build_resnet(options.architecture, options.weights, len(task.class_names)).to(task.device)
    optimizer = build_optimizer(model, options)
    augment = Augmentation(options.augmentation, options.input_size_px)
    batches = draw_batches(
        task.rows, options.steps, options.batch_size, np.random.default_rng(derive_seed(seed, "order"))
    )
    labels = torch.from_numpy(_label_numbers(task.rows["label"], task.class_names))
    loss_weights = torch.from_numpy(task.rows["loss_weight"].to_numpy(np.float32, copy=True))
    pixels, val_pixels = task.pixels.open(), task.val_pixels.open()
    evaluate_at = evaluation_steps(options)
    history, best, state, recent = [], None, {}, []
    torch.manual_seed(derive_seed(seed, "augmentation"))
    for step, rows in enumerate(batches, start=1):
        set_learning_rate(optimizer, step, options)
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
        on_step()
        if step in evaluate_at:
            accuracy, val_loss = _validate(model, val_pixels, task.val_labels, task.device)
            history.append(
                {"step": step, "loss": float(np.mean(recent)), "val_accuracy": accuracy, "val_loss": val_loss}
            )
            recent.clear()
            if best is None or accuracy >= best["val_accuracy"]:
                best, state = history[-1], {name: value.clone() for name, value in model.state_dict().items()}
    return TrainedSeed(state, best, history)


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
