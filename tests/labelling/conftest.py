from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from factories import annotated_image_set, generator_preset, labelling_options, synthesis_options
from kedro.io import Version

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.imaging.image_set import ImageSet, PlannedImageSet
from diffaug_pipeline.labelling.plan import plan_synthesis
from diffaug_pipeline.labelling.strategy import choose_strategy
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.synthesis.synthesize import synthesize

VOCABULARIES = Vocabularies(
    {
        "plain": {
            "templates": ["a photo of a {class_name}", "a picture of a {class_name}"],
            "axes": {},
            "negative_prompt": "",
        }
    }
)
PRESET = generator_preset("embedded:generator", width_px=32, height_px=32, num_inference_steps=4, scheduler="dpmpp_2m")


@pytest.fixture
def real(tmp_path) -> ImageSet:
    return annotated_image_set(tmp_path / "real")


@pytest.fixture
def plan_with(real) -> Callable:
    """Plans with the embedded generator's preset."""

    def plan(strategy: str, images: int = 4, labelling=None, of: ImageSet = real, **synthesis):
        options = synthesis_options(**{"mode": None, "strength": 0.75, "fit": "contain"} | synthesis)
        labelling = labelling_options(strategy=strategy, images=images, **labelling or {})
        prompts = PromptOptions(vocabulary=None, wording={})
        return plan_synthesis(of, prompts, options, labelling, PRESET, VOCABULARIES), options, labelling

    return plan


@pytest.fixture
def make_scenes(tmp_path, real, plan_with) -> Callable:
    """Plan, pictures of the embedded generator and scenes, each stored and loaded: (generated, scenes)."""

    def make(strategy: str, **asked) -> tuple[ImageSet, ImageSet]:
        plan, options, labelling = plan_with(strategy, **asked)
        plan.to_parquet(tmp_path / "plan.parquet", index=False)
        plan = pd.read_parquet(tmp_path / "plan.parquet")
        generated = stored(tmp_path / "generated", synthesize(plan, real, options, PRESET))
        return generated, stored(
            tmp_path / "scenes", choose_strategy(labelling).label_images(generated, real, labelling)
        )

    return make


def stored(folder: Path, images: PlannedImageSet) -> ImageSet:
    dataset = ImageSetDataset(filepath=str(folder / "images"), version=Version("v1", "v1"))
    dataset.save(images)
    return dataset.load()
