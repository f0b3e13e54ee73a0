"""A diffusion model ready to make the images of plan rows."""

import logging
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch
from diffusers import (
    AutoPipelineForImage2Image,
    AutoPipelineForInpainting,
    AutoPipelineForText2Image,
    DiffusionPipeline,
)
from PIL import Image, ImageDraw

from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.imaging.image_set import EncodedImage, ImageSet
from diffaug_pipeline.imaging.preparation import encode_png, fit_image
from diffaug_pipeline.synthesis.models import hush_loading_bars, locate_model, model_source
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions
from diffaug_pipeline.synthesis.schedulers import build_scheduler

BATCH_COLUMNS = (
    "mode",
    "width_px",
    "height_px",
    "scheduler",
    "num_inference_steps",
    "guidance_scale",
    "strength",
    "negative_prompt",
)
"""What the images of one batch must have in common."""

MAX_CACHED_SENTENCES = 1_000
"""A few hundred megabytes at the width of the largest text encoders."""


logger = logging.getLogger(__name__)


class Generator:
    """Loads its model when the first image is asked for; all modes share one copy of the weights.

    Rows to inpaint say what the model sees and what of it is drawn anew:

    | column | type | meaning |
    |---|---|---|
    | `region_xyxy` | list of 4 int | part of the source image, in its pixels, that is fitted to the model's size |
    | `mask_xyxy` | list of lists of 4 float | boxes, in pixels of the picture made; see `inpainting_mask` |
    | `mask_kind` | str | `keep`: all but the boxes is drawn anew; `redraw`: only they are |
    """

    def __init__(self, preset: GeneratorPreset, options: SynthesisOptions, sources: ImageSet, revision: str):
        self._preset = preset
        self._revision = revision
        self._options = options
        self._sources = sources
        self._device = choose_device(options.device)
        self._embeddings: dict[str, torch.Tensor] = {}

    @cached_property
    def text_to_image(self) -> DiffusionPipeline:
        """The loaded pipeline."""
        local = locate_model(self._preset.model) is not None
        hush_loading_bars()
        pipeline = AutoPipelineForText2Image.from_pretrained(
            model_source(self._preset.model),
            dtype=getattr(torch, self._options.dtype),
            revision=None if local else self._revision,
            variant=self._preset.variant,
            use_safetensors=True,
            local_files_only=local,
        ).to(self._device)
        pipeline.set_progress_bar_config(disable=True)
        if getattr(pipeline, "safety_checker", None) is not None:
            logger.warning("The model's safety checker is off: it would put black pictures in place of flagged ones.")
            pipeline.safety_checker = None
        for part in (getattr(pipeline, "unet", None), getattr(pipeline, "vae", None)):
            if part is not None:
                part.to(memory_format=torch.channels_last)
        return pipeline

    @cached_property
    def image_to_image(self) -> DiffusionPipeline:
        """The same weights behind image-to-image."""
        pipeline = AutoPipelineForImage2Image.from_pipe(self.text_to_image)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    @cached_property
    def inpainting(self) -> DiffusionPipeline:
        """The same weights behind inpainting, whether the model was trained for it or not."""
        pipeline = AutoPipelineForInpainting.from_pipe(self.text_to_image)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    @torch.inference_mode()
    def make_images(self, rows: pd.DataFrame) -> list[EncodedImage]:
        """PNGs of plan rows that agree in `BATCH_COLUMNS`, each from its own seed."""
        first = rows.iloc[0]
        pipeline = getattr(self, first["mode"])
        pipeline.scheduler = build_scheduler(
            first["scheduler"], self._scheduler_config, int(first["num_inference_steps"])
        )
        arguments = {
            "guidance_scale": float(first["guidance_scale"]),
            "num_inference_steps": int(first["num_inference_steps"]),
            "generator": [torch.Generator("cpu").manual_seed(int(seed)) for seed in rows["seed"]],
            **self._prompt_arguments(pipeline, rows),
            **self._picture_arguments(pipeline, rows),
        }
        return [_encode(image) for image in pipeline(**arguments).images]

    @cached_property
    def _scheduler_config(self) -> dict:
        """As shipped with the model, before any scheduler was exchanged."""
        return dict(self.text_to_image.scheduler.config)

    def _picture_arguments(self, pipeline: DiffusionPipeline, rows: pd.DataFrame) -> dict[str, Any]:
        first = rows.iloc[0]
        size = int(first["width_px"]), int(first["height_px"])
        frame = {"width": size[0], "height": size[1]}
        if first["mode"] == "text_to_image":
            return frame
        given = {"strength": float(first["strength"]), "image": self._read_sources(rows, size)}
        if first["mode"] == "image_to_image":
            return given
        masks = [
            inpainting_mask(
                np.array([*map(list, xyxy)], dtype=float).reshape(-1, 4), kind, size, pipeline.vae_scale_factor
            )
            for xyxy, kind in zip(rows["mask_xyxy"], rows["mask_kind"], strict=True)
        ]
        return frame | given | {"mask_image": masks}

    def _read_sources(self, rows: pd.DataFrame, size_px: tuple[int, int]) -> list[Image.Image]:
        sources = [self._sources.read(source) for source in rows["source_image_id"]]
        if rows["mode"].iloc[0] == "inpainting":
            sources = [image.crop(tuple(region)) for image, region in zip(sources, rows["region_xyxy"], strict=True)]
        return [fit_image(image, size_px, self._options.fit).image for image in sources]

    def _prompt_arguments(self, pipeline: DiffusionPipeline, rows: pd.DataFrame) -> dict:
        """Prompts as embeddings, each sentence encoded once; as text for families other than SD 1 and 2."""
        negative = rows["negative_prompt"].iloc[0]
        if not _encodes_to_one_tensor(pipeline):
            return {"prompt": rows["prompt"].tolist(), "negative_prompt": [negative] * len(rows)}
        sentences = [*rows["prompt"].unique(), negative]
        if len(self._embeddings) > MAX_CACHED_SENTENCES:
            self._embeddings.clear()
        for sentence in sentences:
            if sentence not in self._embeddings:
                encoded, _ = pipeline.encode_prompt(sentence, self._device, 1, do_classifier_free_guidance=False)
                self._embeddings[sentence] = encoded
        arguments = {"prompt_embeds": torch.cat([self._embeddings[sentence] for sentence in rows["prompt"]])}
        if float(rows["guidance_scale"].iloc[0]) > 1:
            arguments["negative_prompt_embeds"] = self._embeddings[negative].repeat(len(rows), 1, 1)
        return arguments


def inpainting_mask(xyxy: np.ndarray, kind: str, size_px: tuple[int, int], cell_px: int) -> Image.Image:
    """Mode L, white where the picture is drawn anew: in the (N, 4) boxes if `kind` is `redraw`, outside if `keep`.

    Boxes grow to whole cells of the latent grid, `cell_px` wide: diffusers shrinks a mask to that grid by taking one
    pixel of each cell, so a box that covers half a cell would be drawn anew or kept by chance.

    >>> np.asarray(inpainting_mask(np.array([[1.0, 0.0, 2.5, 2.0]]), "redraw", (6, 4), 2))[:3]
    array([[255, 255, 255, 255,   0,   0],
           [255, 255, 255, 255,   0,   0],
           [  0,   0,   0,   0,   0,   0]], dtype=uint8)
    """
    inside, outside = (255, 0) if kind == "redraw" else (0, 255)
    mask = Image.new("L", size_px, outside)
    draw = ImageDraw.Draw(mask)
    cells = np.concatenate([np.floor(xyxy[:, :2] / cell_px), np.ceil(xyxy[:, 2:] / cell_px)], axis=1) * cell_px
    for left, top, right, bottom in cells.astype(int).tolist():
        if left < right and top < bottom:
            draw.rectangle((left, top, right - 1, bottom - 1), fill=inside)
    return mask


def _encodes_to_one_tensor(pipeline: DiffusionPipeline) -> bool:
    encode: Callable | None = getattr(pipeline, "encode_prompt", None)
    return (
        encode is not None
        and pipeline.__class__.__name__.startswith("StableDiffusion")
        and not hasattr(pipeline, "text_encoder_2")
    )


def _encode(image: Image.Image) -> EncodedImage:
    return EncodedImage(encode_png(image), ".png")
