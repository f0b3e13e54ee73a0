"""What each cell costs: calls of the denoiser, counted, and seconds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
from diffusers import DiffusionPipeline
from torch import nn

from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.progress import track
from diffaug_pipeline.synthesis.generator import Generator
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions


def time_cells(
    plan: pd.DataFrame, real_images: ImageSet, synthesis: SynthesisOptions, preset: GeneratorPreset, images: int
) -> pd.DataFrame:
    """One row per cell of `plan`: `cell`, `timed_images`, `counted_evaluations` per image, `seconds_per_image`.

    Each cell draws the same first `images` together, once and in this process. Whatever is done once (loading, the
    first call, embedding prompts) is done before. Counted are calls of the denoiser; a call that guides counts once.
    """
    first = plan.iloc[0]
    generator = Generator(
        preset, synthesis.model_copy(update={"dtype": first["dtype"]}), real_images, first["model_revision"]
    )
    cells = [rows.head(images).reset_index(drop=True) for _, rows in plan.groupby("cell", sort=False)]
    fewest = min(cells, key=lambda rows: rows["num_inference_steps"].iloc[0])
    generator.make_images(fewest)
    return pd.DataFrame([_time(rows, generator) for rows in track(cells, len(cells), "timing", "cells")])


def _time(rows: pd.DataFrame, generator: Generator) -> dict[str, Any]:
    with counted_calls(_denoiser(generator.text_to_image)) as calls:
        started = time.perf_counter()
        generator.make_images(rows)
        seconds = time.perf_counter() - started
    return {
        "cell": rows["cell"].iloc[0],
        "timed_images": len(rows),
        "counted_evaluations": len(calls),
        "seconds_per_image": seconds / len(rows),
    }


@contextmanager
def counted_calls(network: nn.Module) -> Iterator[list[str]]:
    """A list that grows by one entry with each call of `network`, until the block ends."""
    calls: list[str] = []
    hook = network.register_forward_pre_hook(lambda called, _: calls.append(type(called).__name__))
    try:
        yield calls
    finally:
        hook.remove()


def _denoiser(pipeline: DiffusionPipeline) -> nn.Module:
    return pipeline.unet if hasattr(pipeline, "unet") else pipeline.transformer
