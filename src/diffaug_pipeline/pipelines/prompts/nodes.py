"""Nodes of prompts."""

from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.nouns import ImageSet, Table
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.synthesis.options import Generators, SynthesisOptions


def plan_synthesis(
    real_images: ImageSet,
    prompts: PromptOptions,
    synthesis: SynthesisOptions,
    generators: Generators,
    vocabularies: Vocabularies,
) -> Table:
    """One row per image to make."""
    from diffaug_pipeline.prompts import plan

    return plan.plan_synthesis(real_images, prompts, synthesis, generators.choose(synthesis.generator), vocabularies)


def plan_scenes(
    real_images: ImageSet,
    prompts: PromptOptions,
    synthesis: SynthesisOptions,
    labelling: LabellingOptions,
    generators: Generators,
    vocabularies: Vocabularies,
) -> Table:
    """One row per picture that the label strategy wants."""
    from diffaug_pipeline.labelling import plan

    preset = generators.choose(synthesis.generator)
    return plan.plan_synthesis(real_images, prompts, synthesis, labelling, preset, vocabularies)
