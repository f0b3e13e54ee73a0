"""Options of the study, and tables as it makes them."""

import numpy as np
import pandas as pd

from diffaug_pipeline.features.options import ScorerOptions
from diffaug_pipeline.prompts.options import Vocabularies
from diffaug_pipeline.strength_study.options import StrengthStudyOptions

VOCABULARIES = Vocabularies(
    {
        "plain": {
            "templates": ["a photo of a {tone} {class_name}"],
            "axes": {"tone": ["", "dark"]},
            "negative_prompt": "",
        }
    }
)


def study_options(**changes) -> StrengthStudyOptions:
    values = {
        "samples_per_source": 2,
        "confidence": 0.95,
        "agreement_tolerance": 0.05,
        "max_near_duplicates": 0.1,
        "sources_shown": 3,
    }
    return StrengthStudyOptions(**values | changes)


def judging_options(**changes) -> ScorerOptions:
    values = {
        "clip_model": "some/clip",
        "clip_revision": None,
        "templates": ["a photo of a {class_name}"],
        "batch_size": 8,
        "device": "cpu",
    }
    return ScorerOptions(**values | changes)


def measures_table(sources: int, samples: int, agreeing: dict[float, float], seed: int = 0) -> pd.DataFrame:
    """As `strength_study.measures` makes it: by strength the chance that a picture agrees; nine in ten sources do."""
    rng, rows = np.random.default_rng(seed), []
    for number in range(sources):
        source = {"image_id": f"source {number}", "label": f"class {number % 4}", "origin": "real"}
        rows.append(source | {"agrees": number % 10 != 0, "sibling_distance": rng.uniform(0.3, 0.5)})
        for strength, chance in agreeing.items():
            for sample in range(samples):
                rows.append(
                    {
                        "image_id": f"synthetic:{number}/{sample}/{strength:g}",
                        "label": source["label"],
                        "origin": "synthetic",
                        "source_image_id": source["image_id"],
                        "strength": strength,
                        "agrees": bool(rng.random() < chance),
                        "clip_similarity": 1 - strength / 2 + rng.normal(0, 0.02),
                        "ssim": 1 - strength + rng.normal(0, 0.02),
                        "source_distance": 0.1 * strength * rng.uniform(0.5, 1.5),
                        "sibling_distance": strength / 2 + rng.normal(0, 0.02),
                    }
                )
    return pd.DataFrame(rows)


def made_with(strengths: list[float], scheduler: str = "ddim", num_inference_steps: int = 20) -> pd.DataFrame:
    """The columns of a synthetic index that say how."""
    return pd.DataFrame({"strength": strengths, "scheduler": scheduler, "num_inference_steps": num_inference_steps})
