"""A synthesis plan as images to be made."""

from functools import partial

import pandas as pd
import torch

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.imaging.image_set import DrawnImage, ImageSet, PlannedImageSet
from diffaug_pipeline.synthesis.adapters import pin_adapters, read_adapters, write_adapters
from diffaug_pipeline.synthesis.generator import BATCH_COLUMNS, Generator
from diffaug_pipeline.synthesis.hardware import choose_batch_size, threads_each, worker_devices
from diffaug_pipeline.synthesis.models import locate_model, model_revision
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions


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

    def generator_on(device: str) -> Generator:
        return Generator(
            preset, options.model_copy(update={"device": device}), real_images, revision=planned["model_revision"]
        )

    devices = worker_devices(options)
    return PlannedImageSet(
        plan,
        generator_on(devices[0]).make_images,
        batch_size=choose_batch_size(options, preset),
        batch_columns=BATCH_COLUMNS,
        description="synthesis",
        parallel=tuple(partial(_make_with, threads_each(len(devices)), generator_on(device)) for device in devices)
        if len(devices) > 1
        else (),
    )


def _make_with(threads: int, generator: Generator, rows: pd.DataFrame) -> list[DrawnImage]:
    """For a process that shares the cores with others."""
    torch.set_num_threads(threads)
    return generator.make_images(rows)


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
