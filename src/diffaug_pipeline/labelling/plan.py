"""The synthesis plan of a detection task: what the label strategy wants to have generated."""

import pandas as pd

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.labelling.options import OBJECTS_STAY_REAL, LabellingOptions
from diffaug_pipeline.labelling.strategy import PlanRequest, choose_strategy
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
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
) -> pd.DataFrame:
    """One row per picture to generate; raises as `prompts.plan.plan_synthesis` does."""
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
        sentences=lambda name: sentences(vocabulary, prompts.wording.get(name, name)),
    )
    return complete_plan(strategy.plan_rows(request), shared_columns(synthesis, preset, vocabulary), train)
