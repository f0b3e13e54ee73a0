"""Parameters of the scheduler study."""

from pydantic import Field, field_validator

from diffaug_pipeline.options import Options
from diffaug_pipeline.synthesis.schedulers import SchedulerName


class LongRun(Options):
    """A deterministic scheduler with so many steps that more would change nothing: what the others approximate."""

    scheduler: SchedulerName
    num_inference_steps: int = Field(ge=1)


class EqualEvaluations(Options):
    """Two schedulers compared at equal model evaluations, which equal steps are not."""

    scheduler: SchedulerName
    """Gets a cell for each number of evaluations that the other one needs."""
    against: SchedulerName


class SchedulerStudyOptions(Options):
    """What is compared, and by which pictures. How many there are of each class stands in `synthesis`."""

    schedulers: list[SchedulerName] = Field(min_length=1)
    num_inference_steps: list[int] = Field(min_length=1)
    etas: list[float] = Field(min_length=1)
    """Share of DDPM's noise that is added in each step; only for schedulers that take it. 0: none, deterministic."""
    long_run: LongRun
    equal_evaluations: EqualEvaluations | None
    extra_prompts: list[str]
    """Drawn as often as a class, shown and scored by CLIP, compared with no real pictures; left out where the generator
    was only ever taught certain classes."""
    budgets: list[int] = Field(min_length=1)
    """Model evaluations per image that the report recommends a scheduler for."""
    timed_images: int = Field(ge=1)
    """Drawn together, once more, to take the time of each cell."""
    max_real_images: int = Field(ge=4)
    """Real training and validation images that generated ones are compared with, at most."""
    halves: int = Field(ge=10)
    """Random halves of the images, from which the error of the kernel distance is told."""
    confidence: float = Field(gt=0.5, lt=1)
    """Two cells are told apart where the interval of their difference does not contain 0."""

    @field_validator("num_inference_steps", "budgets")
    @classmethod
    def _positive(cls, numbers: list[int]) -> list[int]:
        if min(numbers) < 1:
            raise ValueError("every number must be at least 1")
        return numbers

    @field_validator("etas")
    @classmethod
    def _are_shares(cls, etas: list[float]) -> list[float]:
        if not all(0 <= eta <= 1 for eta in etas):
            raise ValueError("every eta must be between 0 and 1")
        return etas
