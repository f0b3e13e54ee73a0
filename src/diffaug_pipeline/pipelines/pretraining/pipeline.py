"""Fashion-MNIST -> the embedded generator, scorer and few-shot task."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.pretraining.nodes import (
    measure_quality,
    pack_embedded,
    read_pool,
    train_autoencoder,
    train_clip,
    train_denoiser,
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
                pack_embedded,
                inputs=[
                    "pool",
                    "clip",
                    "generator",
                    "quality",
                    "params:autoencoder",
                    "params:clip",
                    "params:denoiser",
                ],
                outputs="embedded",
                name="pack_embedded",
            ),
        ],
        namespace="pretraining",
        tags="pretraining",
    )
