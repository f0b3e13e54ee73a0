"""Fashion-MNIST -> the embedded generator, scorers, detector and tasks."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.pretraining.nodes import (
    measure_quality,
    measure_scene_models,
    pack_embedded,
    read_pool,
    train_autoencoder,
    train_clip,
    train_denoiser,
    train_detector,
    train_scene_clip,
)


def create_pipeline() -> Pipeline:
    """The whole pipeline, in its namespace."""
    return Pipeline(
        [
            Node(read_pool, inputs="params:pool", outputs="pool", name="read_pool"),
            Node(
                train_autoencoder,
                inputs=["pool", "params:autoencoder"],
                outputs="autoencoder",
                name="train_autoencoder",
            ),
            Node(train_clip, inputs=["pool", "params:clip"], outputs="clip", name="train_clip"),
            Node(
                train_denoiser,
                inputs=["pool", "autoencoder", "clip", "params:denoiser"],
                outputs="generator",
                name="train_denoiser",
            ),
            Node(
                measure_quality,
                inputs=["pool", "autoencoder", "clip", "generator", "params:quality"],
                outputs="quality",
                name="measure_quality",
            ),
            Node(
                train_scene_clip,
                inputs=["pool", "clip", "params:scene", "params:scene_clip"],
                outputs="scene_clip",
                name="train_scene_clip",
            ),
            Node(
                train_detector,
                inputs=["pool", "params:scene", "params:detector"],
                outputs="detector",
                name="train_detector",
            ),
            Node(
                measure_scene_models,
                inputs=[
                    "pool",
                    "clip",
                    "scene_clip",
                    "detector",
                    "params:scene",
                    "params:scene_clip",
                    "params:quality",
                ],
                outputs="scene_quality",
                name="measure_scene_models",
            ),
            Node(
                pack_embedded,
                inputs=[
                    "pool",
                    "clip",
                    "generator",
                    "scene_clip",
                    "detector",
                    "quality",
                    "scene_quality",
                    "params:autoencoder",
                    "params:clip",
                    "params:denoiser",
                    "params:scene",
                    "params:scene_clip",
                    "params:detector",
                    "params:scene_task",
                ],
                outputs="embedded",
                name="pack_embedded",
            ),
        ],
        namespace="pretraining",
        tags="pretraining",
    )
