"""Ultralytics' training augmentation over draws from a training set.

Its mosaic fills up a picture with others drawn uniformly from the dataset. Here the dataset is the list of all draws of
a training, so what a mosaic adds has the same share of synthetic pictures as what is drawn; where that share changes
with the steps, the dataset is cut in two.
"""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffaug_pipeline.detection.options import DetectionAugmentationOptions
from diffaug_pipeline.detection.ultralytics_api import (
    DEFAULT_CFG_DICT,
    Format,
    Instances,
    IterableSimpleNamespace,
    v8_transforms,
)
from diffaug_pipeline.imaging.boxes import Boxes

SWITCHED_OFF = {"mixup": 0.0, "cutmix": 0.0, "copy_paste": 0.0, "shear": 0.0, "perspective": 0.0, "flipud": 0.0}


class DrawnImages:
    """What the transforms take for a dataset: one entry per draw."""

    cache = "ram"
    """Makes mosaics choose among all entries."""
    data: dict[str, Any] = {}  # noqa: RUF012 (read only)

    def __init__(self, pixels: np.ndarray, boxes: Sequence[Boxes], class_names: Sequence[str], draws: np.ndarray):
        number = {name: k for k, name in enumerate(class_names)}
        self._pixels, self._draws = pixels, draws.reshape(-1)
        self.shown = range(len(self._draws))
        """The entries there are for now; any other stands for one of these."""
        self._boxes = [of_image.counted() for of_image in boxes]
        self._classes = [np.array([number[label] for label in b.labels], np.float32)[:, None] for b in self._boxes]

    def __len__(self) -> int:
        return len(self._draws)

    def get_image_and_label(self, entry: int) -> dict[str, Any]:
        """The picture as (S, S, 3) BGR and its boxes, as Ultralytics' datasets hand them over."""
        row = self._draws[self.shown[(entry - self.shown.start) % len(self.shown)]]
        image = np.ascontiguousarray(self._pixels[row].transpose(1, 2, 0)[..., ::-1])
        boxes = Instances(
            self._boxes[row].xyxy.astype(np.float32),
            segments=np.zeros((0, 1000, 2), np.float32),
            bbox_format="xyxy",
            normalized=False,
        )
        return {
            "img": image,
            "cls": self._classes[row].copy(),
            "instances": boxes,
            "ori_shape": image.shape[:2],
            "resized_shape": image.shape[:2],
            "ratio_pad": (1.0, 1.0),
            "im_file": "",
        }


class AugmentedBatches:
    """Batches of a training: `batch(step)` augments the draws of that step.

    Mosaics of steps before `first_late_step`, counted from 0, hold no later draws, and those of later steps no earlier
    ones.
    """

    def __init__(
        self,
        images: DrawnImages,
        size_px: int,
        options: DetectionAugmentationOptions,
        batch_size: int,
        first_late_step: int,
    ):
        self._images, self._batch_size, self._first_late = images, batch_size, first_late_step * batch_size
        self._transforms = _build_transforms(images, size_px, options, options.mosaic)
        self._without_mosaic = _build_transforms(images, size_px, options, 0.0)
        self._last_mosaic = len(images) // batch_size - options.steps_without_mosaic

    def batch(self, step: int) -> dict[str, Tensor]:
        """What Ultralytics' loss takes; `step` counts from 0."""
        transforms = self._transforms if step < self._last_mosaic else self._without_mosaic
        entries = range(step * self._batch_size, (step + 1) * self._batch_size)
        early = entries.start < self._first_late
        self._images.shown = range(self._first_late) if early else range(self._first_late, len(self._images))
        samples = [transforms(self._images.get_image_and_label(entry)) for entry in entries]
        counts = torch.tensor([len(sample["cls"]) for sample in samples])
        return {
            "img": torch.stack([sample["img"] for sample in samples]).float() / 255,
            "batch_idx": torch.repeat_interleave(torch.arange(len(samples)), counts).float(),
            "cls": torch.cat([sample["cls"] for sample in samples]).float(),
            "bboxes": torch.cat([sample["bboxes"] for sample in samples]).float(),
        }


def seed_augmentation(seed: int) -> None:
    """Ultralytics draws from the global generators of Python and NumPy."""
    random.seed(seed)
    np.random.seed(seed % 2**32)


def _build_transforms(images: DrawnImages, size_px: int, options: DetectionAugmentationOptions, mosaic: float) -> Any:
    chosen = (
        options.model_dump(exclude={"steps_without_mosaic"}) | SWITCHED_OFF | {"mosaic": mosaic, "augmentations": []}
    )
    transforms = v8_transforms(images, size_px, IterableSimpleNamespace(**DEFAULT_CFG_DICT | chosen))
    transforms.append(Format(bbox_format="xywh", normalize=True, batch_idx=True, bgr=0.0))
    return transforms
