"""What ships inside the package: half-precision weights, the few-shot task, and a card beside each."""

import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from diffusers import StableDiffusionPipeline
from transformers import CLIPModel

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.options import Options
from diffaug_pipeline.pretraining.captions import CLASS_NAMES, PATTERNS, TONES
from diffaug_pipeline.pretraining.task import write_task
from diffaug_pipeline.synthesis.known_classes import TRAINED_ON

LICENCE_FILE = "FASHION_MNIST_LICENSE"


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
    scorer = CLIPModel.from_pretrained(clip.folder, dtype=torch.float16)
    scorer.save_pretrained(folder / "clip")
    for pattern in ("*token*.json", "*processor*.json"):
        for file in clip.folder.glob(pattern):
            shutil.copy(file, folder / "clip")
    (folder / "fashion_few_shot").mkdir(exist_ok=True)
    write_task(pool, folder / "fashion_few_shot")
    counts = pool["split"].value_counts().to_dict()
    cards = {
        "generator": _generator_card(quality, recipes, counts),
        "clip": _clip_card(quality, recipes, counts),
        "fashion_few_shot": _task_card(counts),
    }
    taught = {"dataset": "Fashion-MNIST", "classes": list(CLASS_NAMES), "tones": TONES[1:], "patterns": PATTERNS[1:]}
    for name, card in cards.items():
        (folder / name / "README.md").write_text(card)
        if name != "fashion_few_shot":
            (folder / name / TRAINED_ON).write_text(json.dumps(taught, indent=2) + "\n")
    licence = files("diffaug_pipeline.pretraining").joinpath(LICENCE_FILE).read_text()
    (folder / LICENCE_FILE).write_text(licence)


def _forget_origin(folder: Path) -> None:
    """Removes from the configs where on this machine the parts were loaded from."""
    for file in folder.rglob("*.json"):
        content = json.loads(file.read_text())
        if content.pop("_name_or_path", None) is not None:
            file.write_text(json.dumps(content, indent=2) + "\n")


def _generator_card(quality: dict[str, Any], recipes: dict[str, Options], counts: dict[str, int]) -> str:
    return f"""---
license: mit
library_name: diffusers
pipeline_tag: text-to-image
---

# Embedded generator

{
        _paragraph(
            f'''A latent diffusion model for 32x32 pictures of ten garments, in Stable Diffusion's folder layout:
            `AutoencoderKL` (f = 4), `UNet2DConditionModel` on 8x8 latents, `CLIPTextModel`. It exists so that this
            project runs offline on a CPU through the same classes as with a hub model. It knows nothing but these
            classes: {", ".join(CLASS_NAMES)}; and the words {", ".join([*TONES[1:], *PATTERNS[1:]])}.'''
        )
    }

{
        _paragraph(
            f'''**Data.** {counts["pool_train"]:,} pictures of Fashion-MNIST's official training split (Zalando, MIT
            licence), 28x28 padded to 32x32; {counts["pool_val"]:,} more were held out. No picture of the few-shot
            task, nor a near copy of one, is among them. Captions were formed from class, tone and pattern; tone and
            pattern were measured on the pixels.'''
        )
    }

{
        _paragraph(
            f'''**Measured.** Autoencoder: mean squared error {quality["reconstruction_mse"]:.4f} on [-1, 1] on held-out
            pictures. {quality["generated_recognised"]:.1%} of {quality["generated_images"]:,} generated pictures are
            recognised as their class by the embedded CLIP (held-out real ones: {quality["zero_shot_accuracy"]:.1%}).
            KID on that CLIP's embedding: {quality["kid_generated"]:.5f}, against {quality["kid_real_halves"]:.5f}
            between two halves of the held-out pictures.'''
        )
    }

**Made by** `kedro run --pipelines pretraining` with

```json
{_recipes_json(recipes, "autoencoder", "denoiser")}
```

**Limits.** A stand-in for demonstration and tests; it says nothing about what diffusion models do for your data.
"""


def _clip_card(quality: dict[str, Any], recipes: dict[str, Options], counts: dict[str, int]) -> str:
    return f"""---
license: mit
library_name: transformers
pipeline_tag: zero-shot-image-classification
---

# Embedded CLIP

{
        _paragraph(
            f'''A small `CLIPModel` for 32x32 pictures of ten garments ({", ".join(CLASS_NAMES)}), the scorer of the
            embedded default.'''
        )
    }

{
        _paragraph(
            f'''**Data.** {counts["pool_train"]:,} pictures of Fashion-MNIST's official training split (Zalando, MIT
            licence), none of them, nor a near copy, in the few-shot task. Trained as zero-shot classification over
            sentences from several templates.'''
        )
    }

{
        _paragraph(
            f'''**Measured.** Zero-shot accuracy {quality["zero_shot_accuracy"]:.1%} on
            {quality["held_out_images"]:,} held-out pictures, sentences averaged over templates.'''
        )
    }

**Made by** `kedro run --pipelines pretraining` with

```json
{_recipes_json(recipes, "clip")}
```

{
        _paragraph(
            '''**Limits.** It was taught with labels on tens of thousands of pictures of the very kind it scores. About
            anything else its scores mean nothing.'''
        )
    }
"""


def _task_card(counts: dict[str, int]) -> str:
    return f"""---
license: mit
task_categories: [image-classification]
---

# Fashion few-shot

{
        _paragraph(
            f'''A small classification task cut from Fashion-MNIST (Zalando Research, MIT licence, see
            `../{LICENCE_FILE}`; Xiao et al. 2017): ten garments, pictures of 28x28 pixels padded to 32x32 with
            black.'''
        )
    }

| split | pictures |
|---|---|
| train | {counts["train"]:,} (the default task uses 20 of each class) |
| validation | {counts["val"]:,} |
| test | {counts["test"]:,} |

{
        _paragraph(
            '''All come from the official test split, one of each group of near copies (mean squared difference below
            the pipeline's `min_distance`). `pool_content_hashes.npy` holds the hashes (blake2b, 8 bytes, of the 28x28
            pixels) of all pictures the embedded models were trained or measured on; none equals a hash of this
            task's pictures.'''
        )
    }
"""


def _paragraph(text: str) -> str:
    """`text` as one line, which Markdown viewers wrap as they like."""
    return " ".join(text.split())


def _recipes_json(recipes: dict[str, Options], *names: str) -> str:
    return json.dumps({name: recipes[name].model_dump() for name in names}, indent=1)
