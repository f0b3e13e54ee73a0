"""A diffusion model ready to make the images of plan rows."""

import copy
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch
from diffusers import DiffusionPipeline
from PIL import Image, ImageDraw

from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.errors import BatchTooLargeError, ParameterError
from diffaug_pipeline.imaging.frames import place_back
from diffaug_pipeline.imaging.image_set import DrawnImage, ImageSet
from diffaug_pipeline.imaging.preparation import fit_image
from diffaug_pipeline.synthesis.conditioning import Conditioning
from diffaug_pipeline.synthesis.encodings import remember_encodings
from diffaug_pipeline.synthesis.families import takes
from diffaug_pipeline.synthesis.loading import in_mode, load_pipeline
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions
from diffaug_pipeline.synthesis.schedulers import build_scheduler

SIGNS_OF_FULL_MEMORY = ("DefaultCPUAllocator: can't allocate memory", "MPS backend out of memory")


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
        self._conditioning = Conditioning(self._device)

    @cached_property
    def text_to_image(self) -> DiffusionPipeline:
        """The loaded pipeline."""
        pipeline = load_pipeline(self._preset, self._options.dtype, self._device, self._revision)
        if hasattr(pipeline, "vae"):
            remember_encodings(pipeline.vae)
        return pipeline

    @cached_property
    def image_to_image(self) -> DiffusionPipeline:
        """The same weights behind image-to-image."""
        return in_mode(self.text_to_image, "image_to_image")

    @cached_property
    def inpainting(self) -> DiffusionPipeline:
        """The same weights behind inpainting, whether the model was trained for it or not."""
        return in_mode(self.text_to_image, "inpainting")

    def with_sources(self, sources: ImageSet) -> "Generator":
        """The same loaded model, starting from other images."""
        other = copy.copy(self)
        other._sources = sources
        return other

    def make_images(self, rows: pd.DataFrame, after_evaluation: Callable[[], None] | None = None) -> list[DrawnImage]:
        """Pictures of plan rows that agree in `synthesize.BATCH_COLUMNS`, each from its own seed.

        `after_evaluation` is called each time the denoiser has been (`schedulers.model_evaluations` says how often that
        is); what it raises ends the drawing, and the model is ready for other rows. Raises `BatchTooLargeError` where
        the device's memory does not hold the pictures.
        """
        pipeline = getattr(self, rows["mode"].iloc[0])  # running out of memory here is no matter of the batch
        try:
            pictures = self._draw(pipeline, rows, after_evaluation)
            return [DrawnImage(image) for image in self._at_asked_size(rows, pictures)]
        except Exception as error:
            if not ran_out_of_memory(error):
                raise
        self._recover(pipeline)
        count, size = len(rows), f"{rows['width_px'].iloc[0]} x {rows['height_px'].iloc[0]}"
        raise BatchTooLargeError(
            f"The memory of {self._device} does not hold {count} pictures of {size} at a time."
            if count > 1
            else f"The memory of {self._device} does not hold a single picture of {size}; choose a smaller generator, "
            "another synthesis.dtype, or fewer synthesis.workers.",
            count,
        )

    def _recover(self, pipeline: DiffusionPipeline) -> None:
        """SDXL's pipelines decode in float32 and are cut off before they turn their autoencoder back."""
        if hasattr(pipeline, "vae"):
            pipeline.vae.to(getattr(torch, self._options.dtype))
        if self._device.startswith("cuda"):
            torch.cuda.empty_cache()

    @torch.inference_mode()
    def _draw(
        self, pipeline: DiffusionPipeline, rows: pd.DataFrame, after_evaluation: Callable[[], None] | None
    ) -> list[Image.Image]:
        first = rows.iloc[0]
        spacing, eta = (None if pd.isna(first[name]) else first[name] for name in ("timestep_spacing", "eta"))
        pipeline.scheduler = build_scheduler(
            first["scheduler"], self._scheduler_config, int(first["num_inference_steps"]), spacing
        )
        if eta is not None and not takes(pipeline, "eta"):
            raise ParameterError(
                f"synthesis.eta is {eta:g}, which a {type(pipeline).__name__} cannot be told; set it to null."
            )
        arguments = {
            **({} if eta is None else {"eta": float(eta)}),
            "num_inference_steps": int(first["num_inference_steps"]),
            "generator": [torch.Generator("cpu").manual_seed(int(seed)) for seed in rows["seed"]],
            **self._conditioning.arguments(
                pipeline, rows["prompt"].tolist(), first["negative_prompt"], float(first["guidance_scale"])
            ),
            **self._picture_arguments(pipeline, rows),
        }
        if after_evaluation is not None and takes(pipeline, "callback_on_step_end"):
            # What diffusers counts as a step is one call of the denoiser, also where a solver's step takes two.
            arguments["callback_on_step_end"] = lambda *_: after_evaluation() or {}
        return pipeline(**arguments).images

    def _at_asked_size(self, rows: pd.DataFrame, pictures: list[Image.Image]) -> list[Image.Image]:
        if rows["output_size"].iloc[0] == "model":
            return pictures
        sources = map(self._sources.read, rows["source_image_id"])
        return [place_back(source, made, self._options.fit) for source, made in zip(sources, pictures, strict=True)]

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
        if first["mode"] == "image_to_image":  # FLUX.1 and others would stretch the source to their own default size
            return given | {name: pixels for name, pixels in frame.items() if takes(pipeline, name)}
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


def ran_out_of_memory(error: Exception) -> bool:
    """Whether the device's memory was too small; only CUDA has an error of its own for that."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS_OF_FULL_MEMORY)
    )


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
