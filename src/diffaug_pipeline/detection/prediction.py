"""What the trained networks find.

Detections have one row per seed and image: `seed`, `image_id`, `boxes` (list of records `{"label", "xyxy",
"confidence"}`, in pixels of the image, most confident first).
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.detection.options import DetectionTrainingOptions
from diffaug_pipeline.detection.ultralytics_api import DetectionModel
from diffaug_pipeline.detection.yolo import build_yolo, detect
from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.imaging.boxes import clip
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import Frame
from diffaug_pipeline.synthesis.models import loading_errors
from diffaug_pipeline.training.pixels import as_pixels, decode
from diffaug_pipeline.training.seeds import CONFIG, WEIGHTS, seed_folders

EVALUATION_PIXELS = 2_000_000
"""Pixels that pass a network at once without gradients."""


def detect_all(
    model: DetectionModel,
    pixels: np.ndarray,
    frames: Sequence[Frame],
    class_names: list[str],
    options: DetectionTrainingOptions,
    device: str,
) -> list[list[dict[str, Any]]]:
    """Records per picture of (N, 3, S, S) uint8 `pixels`, mapped back by its frame."""
    found = []
    for start in range(0, len(pixels), _together(pixels.shape[-1])):
        part = torch.from_numpy(pixels[start : start + _together(pixels.shape[-1])].copy()).to(device)
        for rows in detect(model, part, options.min_confidence, options.nms_iou):
            frame = frames[len(found)]
            xyxy = clip(frame.place_back(rows[:, :4]), frame.original_size_px)
            found.append(_records(rows, xyxy, class_names))
    return found


def predict(
    checkpoint: Checkpoint, images: ImageSet, class_names: list[str], options: DetectionTrainingOptions
) -> pd.DataFrame:
    """Detections of every seed's network; each picture is decoded once."""
    device, size = choose_device(options.device), options.input_size_px
    models = {seed: _load(checkpoint, name).to(device) for seed, name in seed_folders(checkpoint).items()}
    parts: dict[int, list[list[dict[str, Any]]]] = {seed: [] for seed in models}
    pictures = decode(images, size, options.fit)
    while batch := list(islice(pictures, _together(size))):
        pixels = np.stack([as_pixels(fitted) for fitted in batch])
        for seed, model in models.items():
            parts[seed] += detect_all(model, pixels, batch, class_names, options, device)
    tables = [
        pd.DataFrame({"seed": seed, "image_id": images.index["image_id"], "boxes": found})
        for seed, found in parts.items()
    ]
    return pd.concat(tables, ignore_index=True)


def _load(checkpoint: Checkpoint, name: str) -> DetectionModel:
    config = checkpoint.read_json(CONFIG)
    model = build_yolo(config["architecture"], config["class_names"])
    with loading_errors(str(checkpoint.folder / name)):
        model.load_state_dict(load_file(checkpoint.folder / name / WEIGHTS))
    return model


def _together(size_px: int) -> int:
    return max(1, EVALUATION_PIXELS // size_px**2)


def _records(rows: np.ndarray, xyxy: np.ndarray, class_names: list[str]) -> list[dict[str, Any]]:
    return [
        {"label": class_names[int(number)], "xyxy": box, "confidence": float(confidence)}
        for box, confidence, number in zip(xyxy.astype(float).tolist(), rows[:, 4], rows[:, 5], strict=True)
    ]
