"""Parameters of the dose-response study."""

from pydantic import Field, field_validator

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.options import Options
from diffaug_pipeline.training.options import TrainingLoopOptions


class DoseResponseOptions(Options):
    """Which doses are tried, and how one of them is chosen and expressed in real images."""

    ratios: list[float] = Field(min_length=2)
    """Synthetic images per real one in a batch, ascending from 0; ratio r replaces r/(1+r) of the real draws."""
    real_shares: list[float] = Field(min_length=2)
    """Of the real training images, for the learning curve; ascending, in (0, 1). All of them are ratio 0."""
    steps: int | None = Field(ge=1)
    """Optimisation steps of every network; null: those of `training`."""
    seeds: list[int] | None
    """Of the trainings, paired across doses; null: those of `training`."""
    standard_errors: float = Field(ge=0)
    """By how many the best dose may be better than a smaller one that is preferred to it; 1 is the rule of Breiman et
    al. 1984, section 3.4.3, 0 takes the best."""
    max_growth: float = Field(gt=1)
    """How many times as many real images as there are the learning curve is followed to."""
    seed: int = Field(ge=0)
    """Of the subsets of real images, and of the seeds drawn for the interval of their number."""

    @field_validator("ratios")
    @classmethod
    def _ascend_from_zero(cls, ratios: list[float]) -> list[float]:
        if ratios[0] != 0 or ratios != sorted(set(ratios)):
            raise ValueError("ratios must ascend from 0, each named once")
        return ratios

    @field_validator("real_shares")
    @classmethod
    def _are_parts(cls, shares: list[float]) -> list[float]:
        if shares != sorted(set(shares)) or shares[0] <= 0 or shares[-1] >= 1:
            raise ValueError("real_shares must ascend, each named once, above 0 and below 1")
        return shares

    def adapt(self, training: TrainingLoopOptions) -> TrainingLoopOptions:
        """The task's `training` with the study's steps and seeds; raises `ParameterError` where they do not fit."""
        steps, seeds = self.steps or training.steps, self.seeds or training.seeds
        if steps < training.evaluations:
            raise ParameterError(
                f"dose_response.steps is {steps}, fewer than the {training.evaluations} of training.evaluations; "
                "take more steps, or null for those of training."
            )
        warmup_steps = min(training.warmup_steps, steps // 4)
        return training.model_copy(update={"steps": steps, "seeds": seeds, "warmup_steps": warmup_steps})
