"""Which images are made: every source at every strength, several times."""

from typing import Any

import pandas as pd

from diffaug_pipeline.errors import ParameterError, UnknownClassesError
from diffaug_pipeline.features.options import ScorerOptions
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.prompts.plan import check_wording, complete_plan, shared_columns, take_in_turn
from diffaug_pipeline.prompts.sentences import sentences
from diffaug_pipeline.seeding import derive_seed
from diffaug_pipeline.strength_study.options import StrengthStudyOptions
from diffaug_pipeline.synthesis.known_classes import check_known_classes, describe_unknown, unknown_classes
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions

NAME = "strength_study"


def plan_strengths(
    real_images: ImageSet,
    study: StrengthStudyOptions,
    judging: ScorerOptions,
    prompts: PromptOptions,
    synthesis: SynthesisOptions,
    preset: GeneratorPreset,
    vocabularies: Vocabularies,
) -> pd.DataFrame:
    """A synthesis plan: real training images of each class, each at all of `synthesis.strengths`.

    A class has `synthesis.images_per_class` rows at each strength, `study.samples_per_source` from each of its sources,
    or fewer where it has fewer training images. Prompt and seed of a (source, sample) are the same at all strengths.
    Raises `ParameterError` where the options do not fit together, `UnknownClassesError` where the generator or the
    scorer was not taught the classes.
    """
    train = real_images.where(split="train")
    _check(train, study, judging, prompts, synthesis, preset)
    vocabulary = vocabularies.choose(prompts.vocabulary or preset.vocabulary)
    rows = []
    for class_name in train.class_names:
        choices = sentences(vocabulary, prompts.wording.get(class_name, class_name))
        of_class = train.where(label=class_name).index["image_id"].tolist()
        for source in _drawn(of_class, synthesis.images_per_class // study.samples_per_source, synthesis.seed):
            rows += _rows_of_source(source, class_name, choices, study.samples_per_source, synthesis)
    return complete_plan(rows, shared_columns(synthesis, preset, vocabulary), train)


def _check(
    train: ImageSet,
    study: StrengthStudyOptions,
    judging: ScorerOptions,
    prompts: PromptOptions,
    synthesis: SynthesisOptions,
    preset: GeneratorPreset,
) -> None:
    for what, needed in (("mode", "image_to_image"), ("output_size", "model")):
        if (given := getattr(synthesis, what)) != needed:
            raise ParameterError(f"strength_study.synthesis.{what} is {given or 'null'}; the study needs {needed}.")
    if synthesis.images_per_class % study.samples_per_source:
        raise ParameterError(
            f"strength_study.synthesis.images_per_class is {synthesis.images_per_class}, which is not a multiple of "
            f"the {study.samples_per_source} pictures (samples_per_source) that each source gives."
        )
    synthesis.check_strengths(preset)
    check_wording(prompts, train.class_names)
    check_known_classes(preset, train.class_names, synthesis)
    if unknown := unknown_classes(judging.clip_model, train.class_names):
        raise UnknownClassesError(
            f"{describe_unknown(judging.clip_model, unknown)} It cannot tell whether a picture still shows its class; "
            "choose another strength_study.judging.clip_model, e.g. openai/clip-vit-base-patch32."
        )


def _drawn(of_class: list[str], count: int, seed: int) -> list[str]:
    """At most `count` images at random; a higher count keeps all that a lower one drew."""
    return sorted(of_class, key=lambda image_id: derive_seed(seed, NAME, "source", image_id))[:count]


def _rows_of_source(
    source: str, class_name: str, choices: list[str], samples: int, synthesis: SynthesisOptions
) -> list[dict[str, Any]]:
    return [
        {
            "image_id": f"synthetic:{source}/{sample:02d}/{strength:g}",
            "label": class_name,
            "source_image_id": source,
            "prompt": take_in_turn(choices, sample, synthesis.seed, source, "prompt"),
            "seed": derive_seed(synthesis.seed, NAME, source, sample),
            "strength": strength,
        }
        for strength in sorted(set(synthesis.strengths))
        for sample in range(samples)
    ]
