"""The KL autoencoder that turns 32x32 pictures into 8x8 latents and back."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor

from diffaug_pipeline.pretraining import loop
from diffaug_pipeline.pretraining.options import AutoencoderOptions
from diffaug_pipeline.pretraining.pool import PADDED_SIZE_PX, padded_images

IMAGES_FOR_SCALING = 2_000


def train_autoencoder(pool: pd.DataFrame, options: AutoencoderOptions, folder: Path) -> None:
    """Trains on the pool and leaves a folder that `AutoencoderKL.from_pretrained` loads."""
    images = torch.from_numpy(padded_images(pool[pool["split"] == "pool_train"]))
    torch.manual_seed(options.loop.seed)
    model = build_autoencoder(options).to(memory_format=torch.channels_last)

    def loss_at_step(model: AutoencoderKL, generator: torch.Generator) -> Tensor:
        chosen = torch.randint(len(images), (options.loop.batch_size,), generator=generator)
        return autoencoder_loss(model, as_pixels(images[chosen]), options, generator)

    average, history = loop.train(model, loss_at_step, options.loop, folder, "autoencoder")
    means, deviations = encode_images(average, images[:IMAGES_FOR_SCALING].numpy())
    variance = means.var() + deviations.square().mean()
    average.register_to_config(scaling_factor=round(variance.rsqrt().item(), 5))
    average.save_pretrained(folder)
    loop.save_history(history, folder)


def build_autoencoder(options: AutoencoderOptions) -> AutoencoderKL:
    """An untrained `AutoencoderKL` with one down-sampling less than it has resolutions."""
    resolutions = len(options.block_out_channels)
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * resolutions,
        up_block_types=("UpDecoderBlock2D",) * resolutions,
        block_out_channels=tuple(options.block_out_channels),
        layers_per_block=options.layers_per_block,
        latent_channels=options.latent_channels,
        norm_num_groups=8,
        sample_size=PADDED_SIZE_PX,
    )


def autoencoder_loss(
    model: AutoencoderKL, pixels: Tensor, options: AutoencoderOptions, generator: torch.Generator
) -> Tensor:
    """Absolute error of pixels (N, 3, 32, 32) and of their differences, plus the KL term."""
    posterior = model.encode(pixels).latent_dist
    restored = model.decode(posterior.sample(generator=generator)).sample
    error = F.l1_loss(restored, pixels)
    differences = sum(F.l1_loss(restored.diff(dim=axis), pixels.diff(dim=axis)) for axis in (2, 3))
    kl = posterior.kl().mean() / posterior.mean[0].numel()
    return error + options.gradient_weight * differences + options.kl_weight * kl


def as_pixels(images: Tensor) -> Tensor:
    """(N, 32, 32) uint8 -> (N, 3, 32, 32) float in [-1, 1]."""
    return (images.float() / 127.5 - 1)[:, None].expand(-1, 3, -1, -1)


@torch.inference_mode()
def encode_images(model: AutoencoderKL, images: np.ndarray, batch_size: int = 500) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation, each (N, C, 8, 8), of the latents of (N, 32, 32) uint8 images."""
    posteriors = [
        model.encode(as_pixels(torch.from_numpy(part))).latent_dist
        for part in np.split(images, range(batch_size, len(images), batch_size))
    ]
    return torch.cat([p.mean for p in posteriors]), torch.cat([p.std for p in posteriors])


@torch.inference_mode()
def reconstruction_error(model: AutoencoderKL, images: np.ndarray) -> float:
    """Mean squared error on [-1, 1] of (N, 32, 32) uint8 images decoded from the mean of their posterior."""
    means, _ = encode_images(model, images)
    restored = torch.cat([model.decode(part).sample for part in means.split(500)])
    return F.mse_loss(restored, as_pixels(torch.from_numpy(images))).item()
