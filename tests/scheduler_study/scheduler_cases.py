"""What tests of the scheduler study share."""

from dataclasses import dataclass

import pandas as pd

from diffaug_pipeline.features.options import ScorerOptions
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.scheduler_study.options import SchedulerStudyOptions
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions

PROMPTS = PromptOptions(vocabulary=None, wording={})
VOCABULARIES = Vocabularies(
    {"plain": {"templates": ["a {tone} {class_name}"], "axes": {"tone": ["", "dark"]}, "negative_prompt": ""}}
)


def study_options(**changes) -> SchedulerStudyOptions:
    values = {
        "schedulers": ["ddim", "pndm", "heun", "euler_ancestral"],
        "num_inference_steps": [2, 4],
        "etas": [0.0, 1.0],
        "long_run": {"scheduler": "dpmpp_2m", "num_inference_steps": 12},
        "equal_evaluations": {"scheduler": "pndm", "against": "ddim"},
        "extra_prompts": ["<i>knight</i>"],
        "budgets": [1, 3, 8],
        "timed_images": 2,
        "max_real_images": 12,
        "halves": 10,
        "confidence": 0.95,
    }
    return SchedulerStudyOptions(**values | changes)


@dataclass(frozen=True)
class Study:
    """What it was made of, and what its stages made."""

    options: SchedulerStudyOptions
    judging: ScorerOptions
    synthesis: SynthesisOptions
    preset: GeneratorPreset
    real_images: ImageSet
    plan: pd.DataFrame
    images: ImageSet
    timings: pd.DataFrame
    scores: pd.DataFrame
    kernel_distances: pd.DataFrame
    summary: pd.DataFrame
