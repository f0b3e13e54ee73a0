"""Parameters that every training has."""

from pydantic import Field, field_validator, model_validator

from diffaug_pipeline.options import Options


class TrainingLoopOptions(Options):
    """How long and with which steps every network of a comparison is trained."""

    steps: int = Field(ge=1)
    """Optimisation steps, equal in every arm."""
    batch_size: int = Field(ge=2)
    learning_rate: float = Field(gt=0)
    """Peak of AdamW's, after linear warm-up; cosine decay to zero."""
    warmup_steps: int = Field(ge=0)
    weight_decay: float = Field(ge=0)
    """Of AdamW; biases and normalisation are not decayed."""
    evaluations: int = Field(ge=1)
    """How often the network is tried on validation images; the best checkpoint is kept."""
    seeds: list[int] = Field(min_length=1)
    """One training each; equal seeds are paired across arms."""
    workers: int | None = Field(ge=1)
    """Seeds trained side by side in one-thread processes on a CPU; null takes one per core."""
    device: str
    """`auto`, or what torch calls the device."""

    @field_validator("seeds")
    @classmethod
    def _differ(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("every seed may be named once only")
        return seeds

    @model_validator(mode="after")
    def _warms_up_in_time(self) -> "TrainingLoopOptions":
        if self.warmup_steps >= self.steps:
            raise ValueError(f"warmup_steps ({self.warmup_steps}) must be less than steps ({self.steps})")
        return self


class ReferenceOptions(Options):
    """The models that judge synthetic images, each trained on the real training images outside its fold."""

    folds: int = Field(ge=2)
    """An image made from a real one is judged by the model that has not seen that one."""
    steps: int = Field(ge=2)
    """Optimisation steps of each; all else is as in `training`."""
