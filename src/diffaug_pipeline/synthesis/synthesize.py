"""A synthesis plan as images to be made."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd
import torch

from diffaug_pipeline.engines.choosing import choose_engine
from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.imaging.image_set import DrawnImage, ImageSet, PlannedImageSet
from diffaug_pipeline.synthesis.adapters import pin_adapters, read_adapters, write_adapters
from diffaug_pipeline.synthesis.hardware import choose_batch_size
from diffaug_pipeline.synthesis.models import locate_model, model_revision
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions

if TYPE_CHECKING:
    from diffaug_pipeline.synthesis.generator import Generator

BATCH_COLUMNS = (
    "mode",
    "width_px",
    "height_px",
    "scheduler",
    "num_inference_steps",
    "eta",
    "timestep_spacing",
    "guidance_scale",
    "strength",
    "negative_prompt",
)
"""What the images of one batch must have in common."""


def synthesize(
    plan: pd.DataFrame, real_images: ImageSet, options: SynthesisOptions, preset: GeneratorPreset
) -> PlannedImageSet:
    """The images of `plan`; the model is loaded when the first one is asked for.

    Raises `VersionError` if the plan was made for another model or other options.
    """
    _check_plan(plan, options, preset)
    planned = plan.iloc[0]
    options = options.model_copy(update={"dtype": planned["dtype"]})
    preset = preset.model_copy(update={"adapters": read_adapters(planned["adapters"])})

    def maker_on(device: str, threads: int | None) -> ImageMaker:
        on_device = options.model_copy(update={"device": device})
        return ImageMaker(preset, on_device, real_images, planned["model_revision"], threads)

    return PlannedImageSet(
        plan,
        maker_on(options.device, None),
        batch_size=choose_batch_size(options, preset),
        batch_columns=BATCH_COLUMNS,
        description="synthesis",
        engine=choose_engine(options, maker_on),
    )


@dataclass
class ImageMaker:
    """Makes the images of plan rows; diffusers, which takes seconds to load, and the model are loaded for the first."""

    preset: GeneratorPreset
    options: SynthesisOptions
    sources: ImageSet
    revision: str
    threads: int | None
    """For a process that shares the cores with others; None leaves them as they are."""

    @cached_property
    def generator(self) -> "Generator":
        """What draws."""
        from diffaug_pipeline.synthesis.generator import Generator

        if self.threads is not None:
            torch.set_num_threads(self.threads)
        return Generator(self.preset, self.options, self.sources, self.revision)

    def __call__(self, rows: pd.DataFrame) -> list[DrawnImage]:
        """See `Generator.make_images`."""
        return self.generator.make_images(rows)


def _check_plan(plan: pd.DataFrame, options: SynthesisOptions, preset: GeneratorPreset) -> None:
    planned = plan.iloc[0]
    expected = {
        "model": preset.model,
        "variant": preset.variant,
        "adapters": write_adapters(pin_adapters(preset.adapters, read_adapters(planned["adapters"]))),
        "fit": options.fit,
        "output_size": options.output_size,
    }
    if options.dtype != "auto":
        expected["dtype"] = options.dtype
    if locate_model(preset.model) is not None or preset.revision is not None:
        expected["model_revision"] = model_revision(preset.model, preset.revision)
    for what, wanted in expected.items():
        if planned[what] != wanted and not (wanted is None and pd.isna(planned[what])):
            raise VersionError(
                f"the synthesis plan was made for {what} {planned[what]}, the parameters say {wanted}; "
                "run from the stage prompts on, so that the plan is made anew."
            )
