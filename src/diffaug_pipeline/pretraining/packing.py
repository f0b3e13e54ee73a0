"""What ships inside the package: half-precision weights, the few-shot task, and a card beside each."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from diffusers import StableDiffusionPipeline
from jinja2 import Environment, PackageLoader, StrictUndefined
from transformers import CLIPModel

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.options import Options
from diffaug_pipeline.pretraining.captions import CLASS_NAMES, PATTERNS, TONES
from diffaug_pipeline.pretraining.task import write_task
from diffaug_pipeline.synthesis.known_classes import TRAINED_ON

RECIPES_OF = {"generator": ("autoencoder", "denoiser"), "clip": ("clip",), "fashion_few_shot": ()}
LICENCE = "FASHION_MNIST_LICENSE"


def pack_embedded(
    pool: pd.DataFrame,
    clip: Checkpoint,
    generator: Checkpoint,
    quality: dict[str, Any],
    recipes: dict[str, Options],
    folder: Path,
) -> None:
    """Fills `folder` with `generator/`, `clip/` and `fashion_few_shot/`, ready to be copied into the package."""
    pipeline = StableDiffusionPipeline.from_pretrained(generator.folder, dtype=torch.float16)
    pipeline.save_pretrained(folder / "generator")
    _forget_origin(folder / "generator")
    CLIPModel.from_pretrained(clip.folder, dtype=torch.float16).save_pretrained(folder / "clip")
    for pattern in ("*token*.json", "*processor*.json"):
        for file in clip.folder.glob(pattern):
            shutil.copy(file, folder / "clip")
    (folder / "fashion_few_shot").mkdir(exist_ok=True)
    write_task(pool, folder / "fashion_few_shot")
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
    for name in ("generator", "clip"):
        (folder / name / TRAINED_ON).write_text(json.dumps(taught, indent=2) + "\n")
    licence, _, _ = cards.loader.get_source(cards, LICENCE)
    (folder / LICENCE).write_text(licence)


def _forget_origin(folder: Path) -> None:
    """Removes from the configs where on this machine the parts were loaded from."""
    for file in folder.rglob("*.json"):
        content = json.loads(file.read_text())
        if content.pop("_name_or_path", None) is not None:
            file.write_text(json.dumps(content, indent=2) + "\n")
