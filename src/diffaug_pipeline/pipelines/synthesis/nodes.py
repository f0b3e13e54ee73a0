"""Nodes of synthesis."""

from diffaug_pipeline.features.options import FeatureOptions
from diffaug_pipeline.filtering.options import FilteringOptions
from diffaug_pipeline.nouns import ImageSet, PlannedImageSet, Table
from diffaug_pipeline.prompts.options import BudgetOptions
from diffaug_pipeline.synthesis.options import Generators, SynthesisOptions


def synthesize_images(
    synthesis_plan: Table, real_images: ImageSet, options: SynthesisOptions, generators: Generators
) -> PlannedImageSet:
    """The planned images; they are made while they are saved, and only those that do not exist yet."""
    from diffaug_pipeline.synthesis.synthesize import synthesize

    return synthesize(synthesis_plan, real_images, options, generators.choose(options.generator))


def synthesize_within_budget(
    synthesis_plan: Table,
    real_images: ImageSet,
    options: SynthesisOptions,
    generators: Generators,
    budget: BudgetOptions,
    features: FeatureOptions,
    filtering: FilteringOptions,
) -> PlannedImageSet:
    """The same; with a quota, of each class only until so many have passed the filter's rules about single images."""
    from dataclasses import replace

    from diffaug_pipeline.imaging.image_set import Quota

    planned = synthesize_images(synthesis_plan, real_images, options, generators)
    if budget.quota is None:
        return planned
    from diffaug_pipeline.filtering.early import EarlyJudge

    judge = EarlyJudge(real_images, features, filtering)
    return replace(planned, quota=Quota(budget.quota, lambda images: judge(images, images.index["label"])))
