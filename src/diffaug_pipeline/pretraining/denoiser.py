"""The text-conditional UNet that removes noise from latents, assembled into a Stable Diffusion pipeline."""

from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DDPMScheduler, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.pretraining import loop
from diffaug_pipeline.pretraining.autoencoder import encode_images
from diffaug_pipeline.pretraining.captions import CLASS_NAMES, PATTERNS, TEMPLATES, TONES, caption
from diffaug_pipeline.pretraining.options import DenoiserOptions
from diffaug_pipeline.pretraining.pool import padded_images

NOISE_SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
LATENT_SIZE = 8


def train_denoiser(
    pool: pd.DataFrame, autoencoder: Checkpoint, clip: Checkpoint, options: DenoiserOptions, folder: Path
) -> None:
    """Trains on the pool's latents and leaves a folder that `AutoPipelineForText2Image.from_pretrained` loads."""
    pool = pool[pool["split"] == "pool_train"].reset_index(drop=True)
    vae = AutoencoderKL.from_pretrained(autoencoder.folder).eval()
    tokenizer = CLIPTokenizer.from_pretrained(clip.folder)
    text_encoder = CLIPTextModel.from_pretrained(clip.folder).eval()
    means, deviations = _cached_latents(vae, pool, folder / "latents.safetensors")
    captions = CaptionTable(pool, tokenizer, text_encoder, options)
    noise = DDPMScheduler(**NOISE_SCHEDULE)
    torch.manual_seed(options.loop.seed)
    model = build_denoiser(options, vae.config.latent_channels, text_encoder.config.hidden_size)

    def loss_at_step(model: UNet2DConditionModel, generator: torch.Generator) -> Tensor:
        chosen = torch.randint(len(means), (options.loop.batch_size,), generator=generator)
        posterior_noise = torch.randn(means[chosen].shape, generator=generator)
        latents = (means[chosen] + deviations[chosen] * posterior_noise) * vae.config.scaling_factor
        embeddings = captions.draw(chosen, generator)
        return denoising_loss(model, noise, latents, embeddings, options.min_snr_gamma, generator)

    average, history = loop.train(model, loss_at_step, options.loop, folder, "denoiser")
    StableDiffusionPipeline(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=average,
        scheduler=PNDMScheduler(**NOISE_SCHEDULE, skip_prk_steps=True, set_alpha_to_one=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    loop.save_history(history, folder)
    (folder / "latents.safetensors").unlink()


def build_denoiser(options: DenoiserOptions, latent_channels: int, text_width: int) -> UNet2DConditionModel:
    """An untrained UNet of two resolutions, cross-attention on the inner one."""
    return UNet2DConditionModel(
        sample_size=LATENT_SIZE,
        in_channels=latent_channels,
        out_channels=latent_channels,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=tuple(options.block_out_channels),
        layers_per_block=options.layers_per_block,
        cross_attention_dim=text_width,
        attention_head_dim=options.attention_heads,
        norm_num_groups=16,
    ).to(memory_format=torch.channels_last)


def denoising_loss(
    model: UNet2DConditionModel,
    noise: DDPMScheduler,
    latents: Tensor,
    embeddings: Tensor,
    min_snr_gamma: float,
    generator: torch.Generator,
) -> Tensor:
    """Squared error of the predicted noise, weighted by min(SNR, gamma) / SNR (Hang et al. 2023, section 3.4)."""
    timesteps = torch.randint(noise.config.num_train_timesteps, (len(latents),), generator=generator)
    added = torch.randn(latents.shape, generator=generator)
    noisy = noise.add_noise(latents, added, timesteps).contiguous(memory_format=torch.channels_last)
    predicted = model(noisy, timesteps, embeddings).sample
    kept = noise.alphas_cumprod[timesteps]
    snr = kept / (1 - kept)
    weights = snr.clamp(max=min_snr_gamma) / snr
    return (weights * F.mse_loss(predicted, added, reduction="none").mean(dim=(1, 2, 3))).mean()


class CaptionTable:
    """Embeddings of all captions, encoded once, and which of them fit a picture."""

    def __init__(
        self, pool: pd.DataFrame, tokenizer: CLIPTokenizer, text_encoder: CLIPTextModel, options: DenoiserOptions
    ):
        words = [
            (template, name, tone, pattern)
            for template in TEMPLATES
            for name in CLASS_NAMES
            for tone in TONES
            for pattern in PATTERNS
        ]
        sentences = [caption(*parts) for parts in words] + [""]
        tokens = tokenizer(sentences, padding="max_length", truncation=True, return_tensors="pt")
        with torch.inference_mode():
            self._embeddings = text_encoder(tokens.input_ids).last_hidden_state.clone()
        self._labels = torch.from_numpy(pool["label"].to_numpy(copy=True))
        self._tones = torch.tensor([TONES.index(tone) for tone in pool["tone"]])
        self._patterns = torch.tensor([PATTERNS.index(pattern) for pattern in pool["pattern"]])
        self._options = options

    def draw(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """(N, T, D) embeddings of a random caption for each of (N,) pool `rows`."""

        def chance(probability: float) -> Tensor:
            return torch.rand(len(rows), generator=generator) < probability

        template = torch.randint(len(TEMPLATES), (len(rows),), generator=generator)
        tone = self._tones[rows] * chance(self._options.attribute_probability)
        pattern = self._patterns[rows] * chance(self._options.attribute_probability)
        place = ((template * len(CLASS_NAMES) + self._labels[rows]) * len(TONES) + tone) * len(PATTERNS) + pattern
        empty = len(self._embeddings) - 1
        return self._embeddings[torch.where(chance(self._options.caption_dropout), empty, place)]


def _cached_latents(vae: AutoencoderKL, pool: pd.DataFrame, file: Path) -> tuple[Tensor, Tensor]:
    """Mean and deviation of the latents of all pool images; kept beside the training state until that is done."""
    if not file.exists():
        means, deviations = encode_images(vae, padded_images(pool))
        partial = file.with_suffix(".partial")
        save_file({"means": means.contiguous(), "deviations": deviations.contiguous()}, partial)
        partial.replace(file)
    cached = load_file(file)
    return cached["means"], cached["deviations"]
