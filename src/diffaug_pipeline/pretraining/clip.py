"""A small CLIP, trained as zero-shot classification over sentences instead of pairs.

With ten classes nearly every batch holds many pictures one sentence fits, so the usual in-batch contrast would call
right answers wrong. Instead each picture is asked three questions: which class, which tone, which pattern.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

from diffaug_pipeline.pretraining import loop
from diffaug_pipeline.pretraining.autoencoder import as_pixels
from diffaug_pipeline.pretraining.captions import CLASS_NAMES, PATTERNS, TEMPLATES, TONES, caption
from diffaug_pipeline.pretraining.options import ClipOptions
from diffaug_pipeline.pretraining.pool import PADDED_SIZE_PX, padded_images
from diffaug_pipeline.pretraining.tokenizer import train_tokenizer


def train_clip(pool: pd.DataFrame, options: ClipOptions, folder: Path) -> None:
    """Trains on the pool and leaves a folder that `CLIPModel` and `CLIPProcessor.from_pretrained` load."""
    pool = pool[pool["split"] == "pool_train"]
    images = torch.from_numpy(padded_images(pool))
    labels = torch.from_numpy(pool["label"].to_numpy())
    tones = torch.tensor([TONES.index(tone) for tone in pool["tone"]])
    patterns = torch.tensor([PATTERNS.index(pattern) for pattern in pool["pattern"]])
    tokenizer = train_tokenizer(options.vocabulary_size, options.max_tokens)
    questions = _tokenized_questions(tokenizer)
    torch.manual_seed(options.loop.seed)
    model = build_clip(tokenizer, options)

    def loss_at_step(model: CLIPModel, generator: torch.Generator) -> Tensor:
        chosen = torch.randint(len(images), (options.loop.batch_size,), generator=generator)
        template = int(torch.randint(len(TEMPLATES), (1,), generator=generator))
        pixels = shifted(as_pixels(images[chosen]), options.max_shift_px, generator)
        return question_loss(model, pixels, questions[template], labels[chosen], tones[chosen], patterns[chosen])

    average, history = loop.train(model, loss_at_step, options.loop, folder, "clip")
    average.save_pretrained(folder)
    CLIPProcessor(image_processor=build_image_processor(), tokenizer=tokenizer).save_pretrained(folder)
    loop.save_history(history, folder)


def build_clip(tokenizer: CLIPTokenizer, options: ClipOptions) -> CLIPModel:
    """An untrained `CLIPModel` for 32x32 images."""
    shared = {"num_attention_heads": options.attention_heads, "projection_dim": options.projection_width}
    text = shared | {
        "vocab_size": len(tokenizer),
        "hidden_size": options.text_width,
        "intermediate_size": 4 * options.text_width,
        "num_hidden_layers": options.text_layers,
        "max_position_embeddings": options.max_tokens,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = shared | {
        "hidden_size": options.vision_width,
        "intermediate_size": 4 * options.vision_width,
        "num_hidden_layers": options.vision_layers,
        "image_size": PADDED_SIZE_PX,
        "patch_size": options.patch_size_px,
    }
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=options.projection_width))


def build_image_processor() -> CLIPImageProcessor:
    """Fits any picture to 32x32 and maps it to [-1, 1], as in training."""
    size = {"height": PADDED_SIZE_PX, "width": PADDED_SIZE_PX}
    return CLIPImageProcessor(
        size={"shortest_edge": PADDED_SIZE_PX}, crop_size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3
    )


def question_loss(
    model: CLIPModel, pixels: Tensor, questions: dict[str, Tensor], labels: Tensor, tones: Tensor, patterns: Tensor
) -> Tensor:
    """Cross-entropy over class sentences, and over tone and pattern sentences of the right class."""
    image_features = F.normalize(model.get_image_features(pixel_values=pixels).pooler_output, dim=-1)
    text_features = F.normalize(model.get_text_features(**questions).pooler_output, dim=-1)
    logits = model.logit_scale.exp().clamp(max=100) * image_features @ text_features.T
    classes = len(CLASS_NAMES)
    of_class, of_tone, of_pattern = logits.split([classes, classes * len(TONES), classes * len(PATTERNS)], dim=1)
    rows = torch.arange(len(labels))
    tone_logits = of_tone.view(len(labels), classes, len(TONES))[rows, labels]
    pattern_logits = of_pattern.view(len(labels), classes, len(PATTERNS))[rows, labels]
    return (
        F.cross_entropy(of_class, labels)
        + 0.25 * F.cross_entropy(tone_logits, tones)
        + 0.25 * F.cross_entropy(pattern_logits, patterns)
    )


def _tokenized_questions(tokenizer: CLIPTokenizer) -> list[dict[str, Tensor]]:
    """Per template, the tokens of all class, class x tone and class x pattern sentences, in that order."""
    sentences = [
        [caption(template, name) for name in CLASS_NAMES]
        + [caption(template, name, tone=tone or "medium") for name in CLASS_NAMES for tone in TONES]
        + [caption(template, name, pattern=pattern or "ordinary") for name in CLASS_NAMES for pattern in PATTERNS]
        for template in TEMPLATES
    ]
    return [dict(tokenizer(part, padding=True, return_tensors="pt")) for part in sentences]


def shifted(pixels: Tensor, max_shift_px: int, generator: torch.Generator) -> Tensor:
    """(N, C, H, W) moved by one random shift of up to `max_shift_px` for the whole batch."""
    if max_shift_px == 0:
        return pixels
    down, right = torch.randint(-max_shift_px, max_shift_px + 1, (2,), generator=generator).tolist()
    return pixels.roll((down, right), dims=(2, 3))


@torch.inference_mode()
def zero_shot_accuracy(model: CLIPModel, tokenizer: CLIPTokenizer, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of (N, 32, 32) uint8 images whose nearest class sentence, averaged over templates, is their own."""
    text_features = nn.functional.normalize(
        torch.stack(
            [
                F.normalize(
                    model.get_text_features(
                        **tokenizer(
                            [caption(template, name) for name in CLASS_NAMES], padding=True, return_tensors="pt"
                        )
                    ).pooler_output,
                    dim=-1,
                )
                for template in TEMPLATES
            ]
        ).mean(0),
        dim=-1,
    )
    correct = 0
    for start in range(0, len(images), 500):
        pixels = as_pixels(torch.from_numpy(images[start : start + 500]))
        features = model.get_image_features(pixel_values=pixels).pooler_output
        correct += int(((features @ text_features.T).argmax(1).numpy() == labels[start : start + 500]).sum())
    return correct / len(images)
