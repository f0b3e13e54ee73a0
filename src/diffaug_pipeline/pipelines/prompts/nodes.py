"""Nodes of prompts."""

from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.nouns import ImageSet, Table
from diffaug_pipeline.prompts.options import BudgetOptions, PromptOptions, Vocabularies
from diffaug_pipeline.synthesis.options import Generators, SynthesisOptions


def plan_synthesis(
    real_images: ImageSet,
    class_errors: Table,
    prompts: PromptOptions,
    synthesis: SynthesisOptions,
    budget: BudgetOptions,
    generators: Generators,
    vocabularies: Vocabularies,
) -> Table:
    """One row per image to make, so many of each class as the budget says."""
    from diffaug_pipeline.prompts.budget import allocate
    from diffaug_pipeline.prompts.plan import plan_synthesis as plan

    counts = allocate(budget, real_images.where(split="train"), synthesis.images_per_class, class_errors)
    return plan(real_images, prompts, synthesis, generators.choose(synthesis.generator), vocabularies, counts)


def plan_scenes(  # noqa: PLR0913
    real_images: ImageSet,
    class_errors: Table,
    prompts: PromptOptions,
    synthesis: SynthesisOptions,
    labelling: LabellingOptions,
    budget: BudgetOptions,
    generators: Generators,
    vocabularies: Vocabularies,
) -> Table:
    """One row per picture that the label strategy wants, so many objects of each class as the budget says."""
    from diffaug_pipeline.labelling.plan import check_budget
    from diffaug_pipeline.labelling.plan import plan_synthesis as plan
    from diffaug_pipeline.prompts.budget import allocate

    check_budget(budget, labelling)
    counts = allocate(budget, real_images.where(split="train"), synthesis.images_per_class, class_errors)
    preset = generators.choose(synthesis.generator)
    return plan(real_images, prompts, synthesis, labelling, preset, vocabularies, counts)
