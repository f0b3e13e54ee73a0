"""A synthesis plan as images to be made."""

import pandas as pd

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.imaging.image_set import ImageSet, PlannedImageSet
from diffaug_pipeline.synthesis.generator import BATCH_COLUMNS, Generator
from diffaug_pipeline.synthesis.models import locate_model, model_revision
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions


def synthesize(
    plan: pd.DataFrame, real_images: ImageSet, options: SynthesisOptions, preset: GeneratorPreset
) -> PlannedImageSet:
    """The images of `plan`; the model is loaded when the first one is asked for.

    Raises `VersionError` if the plan was made for another model or other options.
    """
    _check_plan(plan, options, preset)
    generator = Generator(preset, options, real_images, revision=plan["model_revision"].iloc[0])
    return PlannedImageSet(
        plan,
        generator.make_images,
        batch_size=options.batch_size,
        batch_columns=BATCH_COLUMNS,
        description="synthesis",
    )


def _check_plan(plan: pd.DataFrame, options: SynthesisOptions, preset: GeneratorPreset) -> None:
    expected = {"model": preset.model, "variant": preset.variant, "dtype": options.dtype, "fit": options.fit}
    if locate_model(preset.model) is not None or preset.revision is not None:
        expected["model_revision"] = model_revision(preset.model, preset.revision)
    planned = plan.iloc[0]
    for what, wanted in expected.items():
        if planned[what] != wanted and not (wanted is None and pd.isna(planned[what])):
            raise VersionError(
                f"the synthesis plan was made for {what} {planned[what]}, the parameters say {wanted}; "
                "run from the stage prompts on, so that the plan is made anew."
            )
