"""Parameters of filtering."""

from pydantic import Field

from diffaug_pipeline.options import Options


class ClipScoreRule(Options):
    """Rejects images that fit their class sentence worse than real training images usually do."""

    enabled: bool
    quantile: float = Field(ge=0, lt=1)
    """Share of real training images the threshold would reject."""
    min_images_per_class: int = Field(ge=1)
    """With fewer real training images, classes share one threshold, measured from each class's median."""


class ZeroShotRule(Options):
    """Rejects images that the scorer takes for another class."""

    enabled: bool
    min_margin: float = Field(ge=-1, le=1)
    """Least difference between the probability of the own class and of the best other one."""


class FilteringOptions(Options):
    """How synthetic images are judged."""

    clip_model: str
    """Hub id, folder, or `embedded:clip`."""
    clip_revision: str | None
    templates: list[str] = Field(min_length=1)
    """Sentences about a class, each with {class_name}; their embeddings are averaged."""
    batch_size: int = Field(ge=1)
    """Images scored together."""
    device: str
    """`auto`, or what torch calls the device."""
    clip_score: ClipScoreRule
    zero_shot: ZeroShotRule
