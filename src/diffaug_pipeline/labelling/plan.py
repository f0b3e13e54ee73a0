"""The synthesis plan of a detection task: what the label strategy wants to have generated."""

from collections.abc import Mapping

import pandas as pd

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.labelling.options import OBJECTS_BY_CLASS, OBJECTS_STAY_REAL, LabellingOptions
from diffaug_pipeline.labelling.strategy import PlanRequest, choose_strategy
from diffaug_pipeline.prompts.options import BudgetOptions, PromptOptions, Vocabularies
from diffaug_pipeline.prompts.plan import check_wording, complete_plan, shared_columns
from diffaug_pipeline.prompts.sentences import sentences
from diffaug_pipeline.synthesis.known_classes import check_known_classes
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions


def plan_synthesis(
    real_images: ImageSet,
    prompts: PromptOptions,
    synthesis: SynthesisOptions,
    labelling: LabellingOptions,
    preset: GeneratorPreset,
    vocabularies: Vocabularies,
    class_counts: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """One row per picture to generate; `class_counts` and what is raised are as in `prompts.plan.plan_synthesis`."""
    strategy, train = choose_strategy(labelling), real_images.where(split="train")
    if synthesis.mode not in (None, strategy.MODE):
        raise ParameterError(
            f"detection.synthesis.mode is {synthesis.mode}, but the label strategy {labelling.strategy} works by "
            f"{strategy.MODE}; set the mode to null, or choose another labelling.strategy."
        )
    if synthesis.output_size != "model":
        raise ParameterError(
            f"detection.synthesis.output_size is {synthesis.output_size}, but label strategies place pictures in the "
            "frames of their sources themselves; set it to model."
        )
    synthesis = synthesis.model_copy(update={"mode": strategy.MODE})
    if labelling.strategy not in OBJECTS_STAY_REAL:
        check_known_classes(preset, real_images.class_names, synthesis)
    check_wording(prompts, real_images.class_names)
    synthesis.check_strengths(preset)
    vocabulary = vocabularies.choose(prompts.vocabulary or preset.vocabulary)
    request = PlanRequest(
        train=train,
        labelling=labelling,
        synthesis=synthesis,
        size_px=(preset.width_px, preset.height_px),
        class_counts=class_counts or dict.fromkeys(train.class_names, synthesis.images_per_class),
        sentences=lambda name: sentences(vocabulary, prompts.wording.get(name, name)),
    )
    return complete_plan(strategy.plan_rows(request), shared_columns(synthesis, preset, vocabulary), train)


def check_budget(budget: BudgetOptions, labelling: LabellingOptions) -> None:
    """Raises `ParameterError` where the budget asks for what the label strategy cannot give."""
    if budget.quota is not None:
        raise ParameterError(
            f"detection.budget.quota is {budget.quota}, but a scene shows several classes and is judged once it is "
            "whole, so no class can be stopped at a quota; set it to null."
        )
    if labelling.strategy not in OBJECTS_BY_CLASS and (budget.allocation != "uniform" or budget.total is not None):
        raise ParameterError(
            f"detection.budget shares out objects of each class, but the label strategy {labelling.strategy} makes "
            "whole scenes, labelling.images of them; set allocation: uniform and total: null, or choose "
            f"labelling.strategy {' or '.join(OBJECTS_BY_CLASS)}."
        )
