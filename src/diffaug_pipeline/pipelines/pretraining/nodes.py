"""Nodes of pretraining."""

from functools import partial

from diffaug_pipeline.nouns import Checkpoint, Document, FillFolder, Table
from diffaug_pipeline.pretraining.options import (
    AutoencoderOptions,
    ClipOptions,
    DenoiserOptions,
    PoolOptions,
    QualityOptions,
)


def read_pool(options: PoolOptions) -> Table:
    """Fashion-MNIST, each picture assigned to the pool, the task or neither."""
    from diffaug_pipeline.pretraining import pool

    return pool.read_pool(options)


def train_autoencoder(pool: Table, options: AutoencoderOptions) -> FillFolder:
    """Pictures to latents and back."""
    from diffaug_pipeline.pretraining import autoencoder

    return partial(autoencoder.train_autoencoder, pool, options)


def train_clip(pool: Table, options: ClipOptions) -> FillFolder:
    """The scorer, whose text tower the generator reads prompts with."""
    from diffaug_pipeline.pretraining import clip

    return partial(clip.train_clip, pool, options)


def train_denoiser(pool: Table, autoencoder: Checkpoint, clip: Checkpoint, options: DenoiserOptions) -> FillFolder:
    """The generator."""
    from diffaug_pipeline.pretraining import denoiser

    return partial(denoiser.train_denoiser, pool, autoencoder, clip, options)


def measure_quality(
    pool: Table, autoencoder: Checkpoint, clip: Checkpoint, generator: Checkpoint, options: QualityOptions
) -> Document:
    """How good the models are on pool images held out of their training."""
    from diffaug_pipeline.pretraining import quality

    return quality.measure_quality(pool, autoencoder, clip, generator, options)


def pack_embedded(
    pool: Table,
    clip: Checkpoint,
    generator: Checkpoint,
    quality: Document,
    autoencoder_options: AutoencoderOptions,
    clip_options: ClipOptions,
    denoiser_options: DenoiserOptions,
) -> FillFolder:
    """What ships with the package: half-precision weights, the few-shot task, a card beside each."""
    from diffaug_pipeline.pretraining import packing

    recipes = {"autoencoder": autoencoder_options, "clip": clip_options, "denoiser": denoiser_options}
    return partial(packing.pack_embedded, pool, clip, generator, quality, recipes)
