"""Nodes of pretraining."""

from functools import partial

from diffaug_pipeline.nouns import Checkpoint, Document, FillFolder, Table
from diffaug_pipeline.pretraining.options import (
    AutoencoderOptions,
    ClipOptions,
    DenoiserOptions,
    DetectorOptions,
    PoolOptions,
    QualityOptions,
    SceneClipOptions,
    SceneOptions,
    SceneTaskOptions,
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


def train_scene_clip(pool: Table, clip: Checkpoint, scene: SceneOptions, options: SceneClipOptions) -> FillFolder:
    """The scorer of crops of scenes."""
    from diffaug_pipeline.pretraining import scene_clip

    return partial(scene_clip.train_scene_clip, pool, clip, scene, options)


def train_detector(pool: Table, scene: SceneOptions, options: DetectorOptions) -> FillFolder:
    """The stand-in for detectors pretrained on COCO."""
    from diffaug_pipeline.pretraining import detector

    return partial(detector.train_detector, pool, scene, options)


def measure_scene_models(
    pool: Table,
    clip: Checkpoint,
    scene_clip: Checkpoint,
    detector: Checkpoint,
    scene: SceneOptions,
    crops: SceneClipOptions,
    options: QualityOptions,
) -> Document:
    """How good the scene CLIP and the detector are on scenes of garments held out of their training."""
    from diffaug_pipeline.pretraining import quality

    return quality.measure_scene_models(pool, clip, scene_clip, detector, scene, crops, options)


def pack_embedded(  # noqa: PLR0913
    pool: Table,
    clip: Checkpoint,
    generator: Checkpoint,
    scene_clip: Checkpoint,
    detector: Checkpoint,
    quality: Document,
    scene_quality: Document,
    autoencoder_options: AutoencoderOptions,
    clip_options: ClipOptions,
    denoiser_options: DenoiserOptions,
    scene_options: SceneOptions,
    scene_clip_options: SceneClipOptions,
    detector_options: DetectorOptions,
    scene_task_options: SceneTaskOptions,
) -> FillFolder:
    """What ships with the package: half-precision weights, both tasks, a card beside each."""
    from diffaug_pipeline.pretraining import packing

    models = {"generator": generator, "clip": clip, "scene_clip": scene_clip, "detector": detector}
    recipes = {
        "autoencoder": autoencoder_options,
        "clip": clip_options,
        "denoiser": denoiser_options,
        "scene": scene_options,
        "scene_clip": scene_clip_options,
        "detector": detector_options,
        "scene_task": scene_task_options,
    }
    return partial(packing.pack_embedded, pool, models, quality | scene_quality, recipes)
