"""A synthesis plan as images to be made."""

import pandas as pd

from diffaug_pipeline.imaging.image_set import ImageSet, PlannedImageSet
from diffaug_pipeline.synthesis.generator import BATCH_COLUMNS, Generator
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions


def synthesize(
    plan: pd.DataFrame, real_images: ImageSet, options: SynthesisOptions, preset: GeneratorPreset
) -> PlannedImageSet:
    """The images of `plan`; the model is loaded when the first one is asked for."""
    generator = Generator(preset, options, real_images)
    return PlannedImageSet(
        plan,
        generator.make_images,
        batch_size=options.batch_size,
        batch_columns=BATCH_COLUMNS,
        description="synthesis",
    )
