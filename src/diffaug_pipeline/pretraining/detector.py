"""The stand-in for detectors pretrained on COCO: finds garments of the pool in scenes, all of one class, *object*."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file
from torch import Tensor

from diffaug_pipeline.detection.ultralytics_api import DetectionModel
from diffaug_pipeline.detection.yolo import CONFIG, WEIGHTS, build_yolo
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.pretraining import loop
from diffaug_pipeline.pretraining.options import DetectorOptions, SceneOptions
from diffaug_pipeline.pretraining.pool import pictures
from diffaug_pipeline.pretraining.scenes import draw_scene
from diffaug_pipeline.progress import track
from diffaug_pipeline.seeding import derive_seed

OBJECT = "object"


@dataclass(frozen=True)
class Scenes:
    """Many scenes of one size."""

    pixels: Tensor
    """(N, 3, S, S) uint8"""
    boxes: list[Boxes]


def train_detector(pool: pd.DataFrame, scene: SceneOptions, options: DetectorOptions, folder: Path) -> None:
    """Trains on scenes of pool garments and leaves `model.safetensors` and `config.json`."""
    scenes = draw_scenes(pool[pool["split"] == "pool_train"], options.scenes, scene, options.loop.seed)
    torch.manual_seed(options.loop.seed)
    model = build_yolo(options.architecture, [OBJECT], options.gains)

    def loss_at_step(model: DetectionModel, generator: torch.Generator) -> Tensor:
        chosen = torch.randint(len(scenes.boxes), (options.loop.batch_size,), generator=generator)
        flips = torch.rand(len(chosen), generator=generator) < 0.5
        pixels = torch.where(flips[:, None, None, None], scenes.pixels[chosen].flip(-1), scenes.pixels[chosen])
        boxes = [
            mirrored(scenes.boxes[number], scene.size_px) if flip else scenes.boxes[number]
            for number, flip in zip(chosen.tolist(), flips.tolist(), strict=True)
        ]
        model.train()
        loss, _ = model(as_batch(pixels, boxes, [OBJECT]))
        return loss.sum() / len(chosen)

    average, history = loop.train(model, loss_at_step, options.loop, folder, "detector")
    save_file({name: value.contiguous() for name, value in average.state_dict().items()}, folder / WEIGHTS)
    described = {"architecture": options.architecture, "class_names": [OBJECT], "input_size_px": scene.size_px}
    (folder / CONFIG).write_text(json.dumps(described, indent=2) + "\n")
    loop.save_history(history, folder)


def draw_scenes(garments: pd.DataFrame, count: int, options: SceneOptions, seed: int) -> Scenes:
    """`count` scenes of garments drawn with replacement, all boxes of class `OBJECT`."""
    shown = pictures(garments)
    pixels = torch.empty(count, 3, options.size_px, options.size_px, dtype=torch.uint8)
    boxes = []
    for number in track(range(count), count, "drawing scenes", "scenes"):
        rng = np.random.default_rng(derive_seed(seed, "scene", number))
        chosen = rng.integers(0, len(shown), rng.integers(options.min_garments, options.max_garments + 1))
        scene = draw_scene([(shown[k], OBJECT) for k in chosen], options, rng)
        pixels[number] = torch.from_numpy(np.array(scene.image)).permute(2, 0, 1)
        boxes.append(scene.boxes)
    return Scenes(pixels, boxes)


def mirrored(boxes: Boxes, width_px: int) -> Boxes:
    """The boxes after the picture was mirrored left to right."""
    left, top, right, bottom = boxes.xyxy.T
    return boxes.placed_at(np.stack([width_px - right, top, width_px - left, bottom], axis=1))


def as_batch(pixels: Tensor, boxes: Sequence[Boxes], class_names: Sequence[str]) -> dict[str, Tensor]:
    """What Ultralytics' loss takes, from (N, 3, S, S) uint8 pixels and the boxes of each picture in its pixels."""
    number = {name: k for k, name in enumerate(class_names)}
    size = pixels.shape[-1]
    counted = [of_image.counted() for of_image in boxes]
    xyxy = torch.from_numpy(np.concatenate([of_image.xyxy for of_image in counted])).float() / size
    classes = [number[label] for of_image in counted for label in of_image.labels]
    return {
        "img": pixels.float() / 255,
        "batch_idx": torch.repeat_interleave(torch.arange(len(boxes)), torch.tensor([len(b) for b in counted])).float(),
        "cls": torch.tensor(classes, dtype=torch.float32)[:, None],
        "bboxes": torch.cat([(xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]], dim=1),
    }
