"""Nodes of synthesis."""

from diffaug_pipeline.nouns import ImageSet, PlannedImageSet, Table
from diffaug_pipeline.synthesis.options import Generators, SynthesisOptions


def synthesize_images(
    synthesis_plan: Table, real_images: ImageSet, options: SynthesisOptions, generators: Generators
) -> PlannedImageSet:
    """The planned images; they are made while they are saved, and only those that do not exist yet."""
    from diffaug_pipeline.synthesis.synthesize import synthesize

    return synthesize(synthesis_plan, real_images, options, generators.choose(options.generator))
