"""What ships inside the package: half-precision weights, the two tasks, and a card beside each."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from diffusers import StableDiffusionPipeline
from jinja2 import Environment, PackageLoader, StrictUndefined
from safetensors.torch import load_file, save_file
from transformers import CLIPModel

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.detection.yolo import CONFIG, WEIGHTS
from diffaug_pipeline.options import Options
from diffaug_pipeline.pretraining.captions import CLASS_NAMES, PATTERNS, TONES
from diffaug_pipeline.pretraining.scene_task import write_scene_task
from diffaug_pipeline.pretraining.task import write_task
from diffaug_pipeline.synthesis.known_classes import TRAINED_ON

RECIPES_OF = {
    "generator": ("autoencoder", "denoiser"),
    "clip": ("clip",),
    "scene_clip": ("scene", "scene_clip"),
    "detector": ("scene", "detector"),
    "fashion_few_shot": (),
    "fashion_scenes": ("scene", "scene_task"),
}
LICENCE, DETECTOR_NOTICE = "FASHION_MNIST_LICENSE", "NOTICE"
CLIPS = ("clip", "scene_clip")


def pack_embedded(
    pool: pd.DataFrame,
    models: dict[str, Checkpoint],
    quality: dict[str, Any],
    recipes: dict[str, Options],
    folder: Path,
) -> None:
    """Fills `folder` with a folder per key of `RECIPES_OF`, ready to be copied into the package.

    `models` are the generator, both CLIPs and the detector; `recipes` the options of all that was trained or drawn.
    """
    pipeline = StableDiffusionPipeline.from_pretrained(models["generator"].folder, dtype=torch.float16)
    pipeline.save_pretrained(folder / "generator")
    _forget_origin(folder / "generator")
    for name in CLIPS:
        CLIPModel.from_pretrained(models[name].folder, dtype=torch.float16).save_pretrained(folder / name)
        for pattern in ("*token*.json", "*processor*.json"):
            for file in models[name].folder.glob(pattern):
                shutil.copy(file, folder / name)
    _pack_detector(models["detector"], folder / "detector")
    (folder / "fashion_few_shot").mkdir(exist_ok=True)
    write_task(pool, folder / "fashion_few_shot")
    write_scene_task(pool, recipes["scene"], recipes["scene_task"], folder / "fashion_scenes")
    write_cards(pool, quality, recipes, folder)


def _pack_detector(detector: Checkpoint, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    state = load_file(detector.folder / WEIGHTS)
    half = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    save_file(half, folder / WEIGHTS)
    shutil.copy(detector.folder / CONFIG, folder)


def write_cards(pool: pd.DataFrame, quality: dict[str, Any], recipes: dict[str, Options], folder: Path) -> None:
    """A card in each folder, what the models were taught, and the licences."""
    cards = Environment(
        loader=PackageLoader("diffaug_pipeline.pretraining", "cards"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    for name, used in RECIPES_OF.items():
        card = cards.get_template(f"{name}.md.jinja").render(
            classes=CLASS_NAMES,
            words=[*TONES[1:], *PATTERNS[1:]],
            counts=pool["split"].value_counts().to_dict(),
            quality=quality,
            recipe=json.dumps({recipe: recipes[recipe].model_dump() for recipe in used}, indent=1),
        )
        (folder / name / "README.md").write_text(card)
    taught = {"dataset": "Fashion-MNIST", "classes": CLASS_NAMES, "tones": TONES[1:], "patterns": PATTERNS[1:]}
    for name in ("generator", *CLIPS):
        (folder / name / TRAINED_ON).write_text(json.dumps(taught, indent=2) + "\n")
    for name, where in ((LICENCE, folder), (DETECTOR_NOTICE, folder / "detector")):
        text, _, _ = cards.loader.get_source(cards, name)
        (where / name).write_text(text)


def _forget_origin(folder: Path) -> None:
    """Removes from the configs where on this machine the parts were loaded from."""
    for file in folder.rglob("*.json"):
        content = json.loads(file.read_text())
        if content.pop("_name_or_path", None) is not None:
            file.write_text(json.dumps(content, indent=2) + "\n")
