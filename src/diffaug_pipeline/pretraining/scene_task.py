"""The detection task that ships with the package, *fashion scenes*, as an ordinary COCO dataset.

Every garment of the task appears once. Those of training, validation and test scenes come from the splits `extra`,
`val` and `test` of the pool table, which share no picture, nor a near copy, with the pretraining pool or each other.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.imaging.boxes import areas
from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.pretraining.captions import CLASS_NAMES
from diffaug_pipeline.pretraining.options import SceneOptions, SceneTaskOptions
from diffaug_pipeline.pretraining.pool import pictures
from diffaug_pipeline.pretraining.scenes import Scene, draw_scene
from diffaug_pipeline.seeding import derive_seed

GARMENTS_OF = {"train": "extra", "val": "val", "test": "test"}
"""Split of the pool table by split of the task."""
LICENCE = {
    "id": 1,
    "name": "MIT; garments from Fashion-MNIST, Copyright 2017 Zalando SE",
    "url": "https://opensource.org/license/mit",
}


def write_scene_task(pool: pd.DataFrame, scene: SceneOptions, options: SceneTaskOptions, folder: Path) -> None:
    """`<split>/<number>.png` and `annotations/instances_<split>.json`."""
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    for split, count in options.scenes.items():
        (folder / split).mkdir(exist_ok=True)
        garments = pool[pool["split"] == GARMENTS_OF[split]]
        images, annotations = [], []
        for number, (drawn, hashes) in enumerate(_draw_split(garments, count, split, scene, options.seed)):
            name = f"{number:04d}.png"
            (folder / split / name).write_bytes(encode_png(drawn.image))
            side = scene.size_px
            images.append({"id": number, "file_name": name, "width": side, "height": side, "license": LICENCE["id"]})
            annotations += _annotations(drawn, hashes, number, first=len(annotations) + 1)
        described = {
            "info": {"description": "Fashion scenes: garments of Fashion-MNIST on procedural ground", "version": "1"},
            "licenses": [LICENCE],
            "categories": [{"id": number, "name": name} for number, name in enumerate(CLASS_NAMES, start=1)],
            "images": images,
            "annotations": annotations,
        }
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(described, separators=(",", ":")))


def _draw_split(
    garments: pd.DataFrame, count: int, split: str, options: SceneOptions, seed: int
) -> Iterator[tuple[Scene, list[str]]]:
    """`count` scenes that share no garment, each with the content hashes of its own; classes come up equally often."""
    rng = np.random.default_rng(derive_seed(seed, "scenes", split))
    turn = garments.sample(frac=1, random_state=rng).groupby("label").cumcount()
    in_order = garments.loc[turn.sort_values(kind="stable").index]
    dealt, names, hashes = pictures(in_order), in_order["class_name"].tolist(), in_order["content_hash"].tolist()
    first = 0
    for _ in range(count):
        last = first + int(rng.integers(options.min_garments, options.max_garments + 1))
        if last > len(dealt):
            raise ValueError(f"{len(dealt)} garments are too few for {count} {split} scenes; ask for fewer scenes.")
        chosen = rng.permutation(np.arange(first, last))
        scene = draw_scene([(dealt[k], names[k]) for k in chosen], options, rng)
        yield scene, [hashes[chosen[k]] for k in scene.garments]
        first = last


def _annotations(scene: Scene, garments: list[str], image: int, first: int) -> list[dict[str, Any]]:
    return [
        {
            "id": first + number + 1,  # pycocotools takes 0 for no match
            "image_id": image,
            "category_id": CLASS_NAMES.index(label) + 1,
            "bbox": [xyxy[0], xyxy[1], xyxy[2] - xyxy[0], xyxy[3] - xyxy[1]],
            "area": float(area),
            "iscrowd": 0,
            "garment": garment,
        }
        for number, (label, xyxy, area, garment) in enumerate(
            zip(scene.boxes.labels, scene.boxes.xyxy.tolist(), areas(scene.boxes.xyxy), garments, strict=True)
        )
    ]
