"""Which images are made: every prompt from the same noise in every cell."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies, Vocabulary
from diffaug_pipeline.prompts.plan import check_wording, complete_plan, shared_columns, take_in_turn
from diffaug_pipeline.prompts.sentences import sentences
from diffaug_pipeline.scheduler_study.cells import LONG_RUN, Cell, long_run_cell, study_cells
from diffaug_pipeline.scheduler_study.options import SchedulerStudyOptions
from diffaug_pipeline.seeding import derive_seed
from diffaug_pipeline.synthesis.known_classes import check_known_classes, classes_taught
from diffaug_pipeline.synthesis.models import model_revision, scheduler_config
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions
from diffaug_pipeline.synthesis.schedulers import SOLVERS, TimestepSpacing, check_scheduler

NAME = "scheduler_study"
OF_CELLS = ("scheduler", "num_inference_steps", "eta")
"""Columns of a plan that tell one cell from another."""


@dataclass(frozen=True)
class Draw:
    """A prompt and a seed, and with it the noise that a picture starts from in every cell."""

    label: str
    number: int
    prompt: str
    seed: int
    is_extra: bool

    @property
    def name(self) -> str:
        """Unique within a study."""
        return f"{self.label}/{self.number:04d}"


def plan_cells(
    real_images: ImageSet,
    study: SchedulerStudyOptions,
    prompts: PromptOptions,
    synthesis: SynthesisOptions,
    preset: GeneratorPreset,
    vocabularies: Vocabularies,
) -> pd.DataFrame:
    """A synthesis plan: `synthesis.images_per_class` draws of each class and extra prompt, each in every cell.

    It has three columns more than other plans: `cell`; `draw`, the same in all cells; `is_extra`, for pictures of no
    class. Raises `ParameterError` where the options do not fit together or a scheduler does not fit the model,
    `UnknownClassesError` where the generator was not taught the classes.
    """
    cells = {LONG_RUN: long_run_cell(study)} | {cell.name: cell for cell in study_cells(study)}
    _check(real_images, prompts, synthesis, preset, cells)
    vocabulary = vocabularies.choose(prompts.vocabulary or preset.vocabulary)
    draws = _draws(real_images.class_names, extra_prompts(study, preset), prompts, vocabulary, synthesis)
    shared = shared_columns(synthesis, preset, vocabulary)
    rows = [_row(draw, cell, _spacing(name, cell, synthesis)) for name, cell in cells.items() for draw in draws]
    plan = complete_plan(
        rows, {column: value for column, value in shared.items() if column not in rows[0]}, real_images
    )
    return plan.assign(
        cell=np.repeat(list(cells), len(draws)),
        draw=[draw.name for draw in draws] * len(cells),
        is_extra=[draw.is_extra for draw in draws] * len(cells),
    )


def extra_prompts(study: SchedulerStudyOptions, preset: GeneratorPreset) -> list[str]:
    """Those that the generator can be asked for: none where it was only ever taught certain classes."""
    return study.extra_prompts if classes_taught(preset.model) is None else []


def _check(
    real_images: ImageSet,
    prompts: PromptOptions,
    synthesis: SynthesisOptions,
    preset: GeneratorPreset,
    cells: dict[str, Cell],
) -> None:
    if synthesis.mode != "text_to_image":
        raise ParameterError(
            f"scheduler_study.synthesis.mode is {synthesis.mode or 'null'}; the study needs text_to_image."
        )
    for column in OF_CELLS:
        if (given := getattr(synthesis, column)) is not None:
            raise ParameterError(
                f"scheduler_study.synthesis.{column} is {given}; the study goes through several, "
                "which stand in scheduler_study.study: set it to null."
            )
    check_known_classes(preset, real_images.class_names, synthesis)
    check_wording(prompts, real_images.class_names)
    revision = model_revision(preset.model, preset.revision)
    config = scheduler_config(preset.model, revision)
    for name, cell in cells.items():
        spacing = _spacing(name, cell, synthesis)
        check_scheduler(cell.scheduler, config, cell.num_inference_steps, cell.eta, spacing)


def _spacing(name: str, cell: Cell, synthesis: SynthesisOptions) -> TimestepSpacing | None:
    """As `synthesis` says, for schedulers that know one; the long run starts where all noise is meant to start."""
    wanted = synthesis.timestep_spacing or ("trailing" if name == LONG_RUN else None)
    return wanted if SOLVERS[cell.scheduler].has_spacing else None


def _draws(
    class_names: list[str],
    extra: list[str],
    prompts: PromptOptions,
    vocabulary: Vocabulary,
    synthesis: SynthesisOptions,
) -> list[Draw]:
    choices = {name: sentences(vocabulary, prompts.wording.get(name, name)) for name in class_names}
    choices |= {prompt: [prompt] for prompt in extra}
    return [
        Draw(
            label,
            number,
            take_in_turn(choices[label], number, synthesis.seed, label, "prompt"),
            derive_seed(synthesis.seed, NAME, label, number),
            is_extra=label in extra,
        )
        for number in range(synthesis.images_per_class)
        for label in choices
    ]


def _row(draw: Draw, cell: Cell, spacing: TimestepSpacing | None) -> dict[str, Any]:
    return {
        "image_id": f"synthetic:{cell.name}/{draw.name}",
        "label": draw.label,
        "source_image_id": None,
        "prompt": draw.prompt,
        "seed": draw.seed,
        "strength": None,
        "scheduler": cell.scheduler,
        "num_inference_steps": cell.num_inference_steps,
        "eta": cell.eta,
        "timestep_spacing": spacing,
    }
