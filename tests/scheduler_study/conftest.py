"""The study on tiny random models, stage by stage, as its pipeline runs it."""

from pathlib import Path

import pytest
from factories import generator_preset, real_image_set, synthesis_options
from kedro.io import Version
from scheduler_study.scheduler_cases import PROMPTS, VOCABULARIES, Study, study_options

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.features.options import ScorerOptions
from diffaug_pipeline.scheduler_study.plan import plan_cells
from diffaug_pipeline.scheduler_study.scores import score_images
from diffaug_pipeline.scheduler_study.summary import summarize_cells
from diffaug_pipeline.scheduler_study.timing import time_cells
from diffaug_pipeline.synthesis.synthesize import synthesize


@pytest.fixture(scope="session")
def study(tiny_generator: Path, tiny_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two classes and an extra prompt, three draws of each."""
    folder = tmp_path_factory.mktemp("scheduler_study")
    options, preset = study_options(), generator_preset(str(tiny_generator))
    synthesis = synthesis_options(images_per_class=3, batch_size=9, timestep_spacing="trailing")
    judging = ScorerOptions(
        clip_model=str(tiny_clip), clip_revision=None, templates=["a {class_name}"], batch_size=8, device="cpu"
    )
    real_images = real_image_set(folder / "real", {"train": 4, "val": 2, "test": 2})
    plan = plan_cells(real_images, options, PROMPTS, synthesis, preset, VOCABULARIES)
    dataset = ImageSetDataset(filepath=str(folder / "images"), version=Version(None, "v1"))
    dataset.save(synthesize(plan, real_images, synthesis, preset))
    images = dataset.load()
    scores, kernel_distances = score_images(images, real_images, options, judging, seed=0)
    return Study(
        options=options,
        judging=judging,
        synthesis=synthesis,
        preset=preset,
        real_images=real_images,
        plan=plan,
        images=images,
        timings=time_cells(plan, real_images, synthesis, preset, options.timed_images),
        scores=scores,
        kernel_distances=kernel_distances,
        summary=summarize_cells(scores, kernel_distances, options),
    )
