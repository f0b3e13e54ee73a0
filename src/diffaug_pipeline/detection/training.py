"""Trains one YOLO per seed on a training set, with Ultralytics' network, loss and augmentation in a loop of our own.

Ultralytics' trainer counts epochs, so arms of different size would train for different lengths, and it chooses
optimiser and accumulation by the number of images; here every arm takes the same steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from diffaug_pipeline.average_precision import map_on
from diffaug_pipeline.detection.augmentation import AugmentedBatches, DrawnImages, seed_augmentation
from diffaug_pipeline.detection.options import DetectionTrainingOptions
from diffaug_pipeline.detection.prediction import detect_all
from diffaug_pipeline.detection.yolo import build_yolo, expect_objects, start_from, weights_digest
from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.seeding import derive_seed
from diffaug_pipeline.training.optimization import build_optimizer, evaluation_steps, set_learning_rate
from diffaug_pipeline.training.pixels import PixelFile, decode_to_file
from diffaug_pipeline.training.sampling import DRAWN_BY, draw_batches, first_late_step
from diffaug_pipeline.training.seeds import TrainedSeed, digest_rows, train_all_seeds

MAX_GRADIENT_NORM = 10.0
"""As in Ultralytics' trainer."""
TRAINED_ON = ["image_id", "boxes", "sha256"]


@dataclass(frozen=True)
class DetectionTask:
    """What the trainings of all seeds share, small enough to send to another process."""

    rows: pd.DataFrame
    """`origin` of each training image and how it is drawn; `label` is empty, images with boxes are all of one kind."""
    pixels: PixelFile
    boxes: list[Boxes]
    """In input pixels, like the pixels."""
    val_pixels: PixelFile
    val_boxes: list[Boxes]
    """In the pixels of the real images."""
    class_names: list[str]
    options: DetectionTrainingOptions
    device: str


def train_detectors(
    training_set: ImageSet, real_images: ImageSet, options: DetectionTrainingOptions, folder: Path
) -> None:
    """Fills `folder` (see `training.seeds`) with a network per seed, chosen on the real validation images."""
    config = describe_training(training_set, real_images, options)
    prepare = partial(prepare_training, training_set, real_images, options, train_seed)
    train_all_seeds(config, options, choose_device(options.device), folder, prepare)


def describe_training(
    training_set: ImageSet, real_images: ImageSet, options: DetectionTrainingOptions
) -> dict[str, Any]:
    """All that determines the weights but the seed."""
    return {
        "class_names": real_images.class_names,
        **options.model_dump(exclude={"seeds", "workers", "device"}),
        "weights_digest": None if options.weights is None else weights_digest(options.weights),
        "training_data": digest_rows(training_set.index[[*TRAINED_ON, *DRAWN_BY]]),
        "validation_data": digest_rows(real_images.where(split="val").index[TRAINED_ON]),
    }


def prepare_training(
    training_set: ImageSet,
    real_images: ImageSet,
    options: DetectionTrainingOptions,
    train: Callable[..., TrainedSeed],
    scratch: Path,
) -> Callable[..., TrainedSeed]:
    """`train` with everything but the seed: pictures are decoded into `scratch`, where processes find them."""
    validation = real_images.where(split="val")
    size, fit = options.input_size_px, options.fit
    pixels = decode_to_file(training_set, size, fit, scratch / "train.npy")
    val_pixels = decode_to_file(validation, size, fit, scratch / "val.npy")
    task = DetectionTask(
        rows=training_set.index[["origin", *DRAWN_BY]].assign(label=""),
        pixels=pixels,
        boxes=[
            boxes.placed_at(frame.place(boxes.xyxy))
            for frame, boxes in zip(pixels.frames, training_set.boxes, strict=True)
        ],
        val_pixels=val_pixels,
        val_boxes=validation.boxes,
        class_names=real_images.class_names,
        options=options,
        device=choose_device(options.device),
    )
    return partial(train, task)


def train_seed(task: DetectionTask, seed: int, on_step: Callable[[], Any]) -> TrainedSeed:
    """One training.

    The seed decides random weights, the order of images and their augmentation; arms with equal seeds share all three.
    """
    options = task.options
    torch.manual_seed(derive_seed(seed, "initial weights"))
    model = build_yolo(options.architecture, task.class_names, options.gains)
    expect_objects(model, options.input_size_px)
    if options.weights is not None:
        start_from(model, options.weights)
    model.to(task.device)
    optimizer = build_optimizer(model, options)
    draws = draw_batches(
        task.rows, options.steps, options.batch_size, np.random.default_rng(derive_seed(seed, "order"))
    )
    images = DrawnImages(task.pixels.open(), task.boxes, task.class_names, draws)
    change = first_late_step(task.rows, options.steps)
    batches = AugmentedBatches(images, options.input_size_px, options.augmentation, options.batch_size, change)
    evaluate_at = evaluation_steps(options)
    history, best, state, recent = [], None, {}, []
    seed_augmentation(derive_seed(seed, "augmentation"))
    for step in range(1, options.steps + 1):
        set_learning_rate(optimizer, step, options)
        model.train()
        batch = batches.batch(step - 1)
        losses, _ = model({name: value.to(task.device) for name, value in batch.items()})
        optimizer.zero_grad(set_to_none=True)
        losses.sum().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
        optimizer.step()
        recent.append(losses.sum().item() / options.batch_size)
        on_step()
        if step in evaluate_at:
            found = detect_all(
                model, task.val_pixels.open(), task.val_pixels.frames, task.class_names, options, task.device
            )
            precision = map_on(found, task.val_boxes, task.class_names)
            history.append(
                {
                    "step": step,
                    "loss": float(np.mean(recent)),
                    "val_map_50_95": precision["map_50_95"],
                    "val_map_50": precision["map_50"],
                }
            )
            recent.clear()
            if best is None or history[-1]["val_map_50_95"] >= best["val_map_50_95"]:
                best, state = history[-1], {name: value.clone() for name, value in model.state_dict().items()}
    return TrainedSeed(state, best, history)
