"""The embedded CLIP taught further on garments in scenes: any ground, tint and size, partly hidden.

The embedded CLIP has only ever seen garments on black, as a generator draws them. A CLIP trained on the web knows them
anywhere, and so must the one that judges crops of scenes. Only the vision tower learns; sentences keep their meaning.
"""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPModel, CLIPTokenizer

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.imaging.preparation import square_crop
from diffaug_pipeline.pretraining import loop
from diffaug_pipeline.pretraining.autoencoder import as_pixels
from diffaug_pipeline.pretraining.captions import CLASS_NAMES, TEMPLATES, caption
from diffaug_pipeline.pretraining.options import SceneClipOptions, SceneOptions
from diffaug_pipeline.pretraining.pool import PADDED_SIZE_PX, padded_images, pictures
from diffaug_pipeline.pretraining.scenes import draw_scene
from diffaug_pipeline.progress import track
from diffaug_pipeline.seeding import derive_seed


def train_scene_clip(
    pool: pd.DataFrame, clip: Checkpoint, scene: SceneOptions, options: SceneClipOptions, folder: Path
) -> None:
    """Goes on from `clip` and leaves a folder that `CLIPModel` and `CLIPProcessor.from_pretrained` load."""
    garments = pool[pool["split"] == "pool_train"]
    crops, crop_labels = draw_crops(garments, scene, options)
    images, labels = torch.from_numpy(padded_images(garments)), torch.from_numpy(garments["label"].to_numpy(copy=True))
    model = CLIPModel.from_pretrained(clip.folder, dtype=torch.float32)
    text_features = class_features(model, CLIPTokenizer.from_pretrained(clip.folder))
    model.requires_grad_(False)
    for part in (model.vision_model, model.visual_projection):
        part.requires_grad_(True)
    plain = round(options.plain_share * options.loop.batch_size)

    def loss_at_step(model: CLIPModel, generator: torch.Generator) -> Tensor:
        in_scenes = torch.randint(len(crops), (options.loop.batch_size - plain,), generator=generator)
        alone = torch.randint(len(images), (plain,), generator=generator)
        pixels = torch.cat([crops[in_scenes].float() / 127.5 - 1, as_pixels(images[alone])])
        features = F.normalize(model.get_image_features(pixel_values=pixels).pooler_output, dim=-1)
        logits = model.logit_scale.exp() * features @ text_features.T
        return F.cross_entropy(logits, torch.cat([crop_labels[in_scenes], labels[alone]]))

    average, history = loop.train(model, loss_at_step, options.loop, folder, "scene clip")
    average.save_pretrained(folder)
    for pattern in ("*token*.json", "*processor*.json"):
        for file in clip.folder.glob(pattern):
            shutil.copy(file, folder)
    loop.save_history(history, folder)


def draw_crops(garments: pd.DataFrame, scene: SceneOptions, options: SceneClipOptions) -> tuple[Tensor, Tensor]:
    """(N, 3, 32, 32) uint8 crops of garments in scenes, mirrored half of the time, and their (N,) class numbers."""
    shown, names = pictures(garments), garments["class_name"].tolist()
    crops, labels = [], []
    for number in track(range(options.scenes), options.scenes, "drawing scenes", "scenes"):
        rng = np.random.default_rng(derive_seed(options.loop.seed, "crops", number))
        chosen = rng.integers(0, len(shown), rng.integers(scene.min_garments, scene.max_garments + 1))
        drawn = draw_scene([(shown[k], names[k]) for k in chosen], scene, rng)
        for label, xyxy in zip(drawn.boxes.labels, drawn.boxes.xyxy, strict=True):
            sides = np.tile(xyxy[2:] - xyxy[:2], 2)
            crop = square_crop(drawn.image, xyxy + rng.normal(0, options.jitter, 4) * sides, options.context)
            pixels = np.array(crop.resize((PADDED_SIZE_PX, PADDED_SIZE_PX), 1))
            crops.append(pixels[:, ::-1] if rng.random() < 0.5 else pixels)
            labels.append(CLASS_NAMES.index(label))
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).contiguous(), torch.tensor(labels)


@torch.no_grad()
def class_features(model: CLIPModel, tokenizer: CLIPTokenizer) -> Tensor:
    """(10, D) unit vectors of the classes, each the mean over all templates."""
    ensembles = []
    for name in CLASS_NAMES:
        tokens = tokenizer([caption(template, name) for template in TEMPLATES], padding=True, return_tensors="pt")
        features = F.normalize(model.get_text_features(**tokens).pooler_output, dim=-1)
        ensembles.append(F.normalize(features.mean(0), dim=-1))
    return torch.stack(ensembles)
