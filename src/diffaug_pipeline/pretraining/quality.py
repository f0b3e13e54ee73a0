"""How good the embedded models are, on pool images held out of their training."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from diffusers import AutoencoderKL, AutoPipelineForText2Image
from torchmetrics.image.kid import KernelInceptionDistance
from transformers import CLIPModel, CLIPTokenizer

from diffaug_pipeline.average_precision import map_on
from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.detection.yolo import CONFIG, build_yolo, detect, start_from
from diffaug_pipeline.pretraining.autoencoder import as_pixels, reconstruction_error
from diffaug_pipeline.pretraining.captions import CLASS_NAMES, caption
from diffaug_pipeline.pretraining.clip import zero_shot_accuracy
from diffaug_pipeline.pretraining.detector import OBJECT, draw_scenes
from diffaug_pipeline.pretraining.options import QualityOptions, SceneClipOptions, SceneOptions
from diffaug_pipeline.pretraining.pool import padded_images
from diffaug_pipeline.pretraining.scene_clip import class_features, draw_crops
from diffaug_pipeline.progress import track
from diffaug_pipeline.seeding import derive_seed
from diffaug_pipeline.synthesis.schedulers import build_scheduler

KID_SUBSETS = 50
KID_SUBSET_SIZE = 500


def measure_quality(
    pool: pd.DataFrame, autoencoder: Checkpoint, clip: Checkpoint, generator: Checkpoint, options: QualityOptions
) -> dict[str, Any]:
    """Reconstruction error, zero-shot accuracy, how often generated pictures are recognised, KID with a real floor.

    KID (Binkowski et al. 2018) uses the CLIP's own image embedding, so it compares only with itself.
    """
    held_out = pool[pool["split"] == "pool_val"]
    images, labels = padded_images(held_out), held_out["label"].to_numpy()
    model = CLIPModel.from_pretrained(clip.folder).eval()
    tokenizer = CLIPTokenizer.from_pretrained(clip.folder)
    generated, wanted = generate(generator, options)
    order = np.random.default_rng(options.seed).permutation(len(images))
    half = len(images) // 2
    return {
        "held_out_images": len(images),
        "reconstruction_mse": reconstruction_error(AutoencoderKL.from_pretrained(autoencoder.folder).eval(), images),
        "zero_shot_accuracy": zero_shot_accuracy(model, tokenizer, images, labels),
        "generated_images": len(generated),
        "generated_recognised": zero_shot_accuracy(model, tokenizer, generated, wanted),
        "kid_generated": kernel_distance(model, images, generated),
        "kid_real_halves": kernel_distance(model, images[order[:half]], images[order[half:]]),
    }


def measure_scene_models(
    pool: pd.DataFrame,
    clip: Checkpoint,
    scene_clip: Checkpoint,
    detector: Checkpoint,
    scene: SceneOptions,
    crops: SceneClipOptions,
    options: QualityOptions,
) -> dict[str, Any]:
    """On scenes of held-out garments: zero-shot accuracy of both CLIPs on crops, average precision of the detector."""
    held_out = pool[pool["split"] == "pool_val"]
    fewer = crops.model_copy(update={"scenes": options.scenes, "jitter": 0.0})
    pixels, labels = draw_crops(held_out, scene, fewer)
    scenes = draw_scenes(held_out, options.scenes, scene, options.seed)
    model = build_yolo(detector.read_json(CONFIG)["architecture"], [OBJECT])
    start_from(model, str(detector.folder))
    found = [
        [{"label": OBJECT, "xyxy": row[:4].tolist(), "confidence": float(row[4])} for row in rows]
        for part in scenes.pixels.split(options.batch_size)
        for rows in detect(model, part, confidence=0.001, iou=0.7)
    ]
    precision = map_on(found, scenes.boxes, [OBJECT])
    return {
        "scene_crops": len(labels),
        "clip_accuracy_on_crops": crop_accuracy(clip, pixels, labels),
        "scene_clip_accuracy": crop_accuracy(scene_clip, pixels, labels),
        "scenes": options.scenes,
        "detector_map_50_95": precision["map_50_95"],
        "detector_map_50": precision["map_50"],
    }


@torch.inference_mode()
def crop_accuracy(clip: Checkpoint, crops: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of (N, 3, 32, 32) uint8 crops whose nearest class is their own."""
    model = CLIPModel.from_pretrained(clip.folder, dtype=torch.float32).eval()
    sentences = class_features(model, CLIPTokenizer.from_pretrained(clip.folder))
    correct = 0
    for part, wanted in zip(crops.split(500), labels.split(500), strict=True):
        features = model.get_image_features(pixel_values=part.float() / 127.5 - 1).pooler_output
        correct += int(((features @ sentences.T).argmax(1) == wanted).sum())
    return correct / len(labels)


def generate(generator: Checkpoint, options: QualityOptions) -> tuple[np.ndarray, np.ndarray]:
    """(N, 32, 32) uint8 pictures and the class numbers they were asked for."""
    pipeline = AutoPipelineForText2Image.from_pretrained(generator.folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = build_scheduler("dpmpp_2m", pipeline.scheduler.config, options.num_inference_steps)
    wanted = np.repeat(np.arange(len(CLASS_NAMES)), options.images_per_class)
    batches = np.split(np.arange(len(wanted)), range(options.batch_size, len(wanted), options.batch_size))
    pictures = []
    for batch in track(batches, len(batches), "generating", "batches"):
        made = pipeline(
            [caption("a photo of a {}", CLASS_NAMES[label]) for label in wanted[batch]],
            num_inference_steps=options.num_inference_steps,
            guidance_scale=options.guidance_scale,
            generator=[torch.Generator().manual_seed(derive_seed(options.seed, "quality", int(k))) for k in batch],
        ).images
        pictures += [np.asarray(picture.convert("L")) for picture in made]
    return np.stack(pictures), wanted


def kernel_distance(model: CLIPModel, real: np.ndarray, generated: np.ndarray) -> float:
    """KID of two stacks of (N, 32, 32) uint8 images on the model's unit embeddings."""
    embed = _Embedding(model)
    metric = KernelInceptionDistance(
        feature=embed,
        subsets=KID_SUBSETS,
        subset_size=min(KID_SUBSET_SIZE, len(real) - 1, len(generated) - 1),
        normalize=True,
    )
    for images, is_real in ((real, True), (generated, False)):
        for start in range(0, len(images), 500):
            metric.update((as_pixels(torch.from_numpy(images[start : start + 500])) + 1) / 2, real=is_real)
    torch.manual_seed(0)
    return metric.compute()[0].item()


class _Embedding(torch.nn.Module):
    """Pictures as torchmetrics hands them over -> (N, D) unit vectors."""

    def __init__(self, model: CLIPModel):
        super().__init__()
        self.model = model
        self.num_features = model.config.projection_dim

    @torch.inference_mode()
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        if pixels.dtype == torch.uint8:
            pixels = pixels.float() / 255
        features = self.model.get_image_features(pixel_values=pixels * 2 - 1).pooler_output
        return torch.nn.functional.normalize(features, dim=-1)
