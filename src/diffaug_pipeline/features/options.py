"""Parameters of features."""

from typing import Annotated

from pydantic import AfterValidator, Field

from diffaug_pipeline.engines.options import EngineOptions
from diffaug_pipeline.options import CLASS_NAME, Options, placeholders


def _name_the_class(templates: list[str]) -> list[str]:
    for template in templates:
        if placeholders(template) != {CLASS_NAME}:
            raise ValueError(f"the template {template!r} must contain {{class_name}} and no other name in braces")
    return templates


ClassTemplates = Annotated[list[str], Field(min_length=1), AfterValidator(_name_the_class)]


class ScorerOptions(Options):
    """A CLIP model and how it is asked about classes."""

    clip_model: str
    """Hub id, folder, or `embedded:clip`."""
    clip_revision: str | None
    templates: ClassTemplates
    """Sentences about a class, each with {class_name}; their embeddings are averaged."""
    batch_size: int = Field(ge=1)
    """Images scored together."""
    device: str
    """`auto`, or what torch calls the device."""


class EncoderOptions(Options):
    """A model that pictures are seen with."""

    model: str
    """Hub id, folder, `embedded:clip` or `embedded:scene_clip`."""
    revision: str | None
    """Commit, branch or tag of a hub id; null: the newest."""


class ClassEncoderOptions(EncoderOptions):
    """A model with a text tower (CLIP, SigLIP, SigLIP2) and how it is asked about classes."""

    templates: ClassTemplates
    """Sentences about a class, each with {class_name}; their embeddings are averaged."""


class FeatureOptions(EngineOptions):
    """What is known about every picture once it has been seen by two models."""

    scorer: ClassEncoderOptions
    """Judges which class a picture shows; the filter goes by it."""
    measure: EncoderOptions | None
    """Another backbone (DINOv2, say), so that the filter is not measured by its own yardstick; null: the scorer."""
    batch_size: int = Field(ge=1)
    """Pictures seen together."""


class DetectionFeatureOptions(FeatureOptions):
    """The same for objects: the models see the square crop of every box that counts."""

    crop_context: float = Field(ge=0)
    """Crops are larger than the box by this share on each side."""
