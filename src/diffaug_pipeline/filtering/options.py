"""Parameters of filtering."""

from pydantic import Field, field_validator

from diffaug_pipeline.options import CLASS_NAME, Options, placeholders


class Rule(Options):
    """A threshold set by real training images."""

    enabled: bool
    quantile: float = Field(ge=0, lt=1)
    """Share of the real training images of a class that the threshold would reject."""


class ScorerOptions(Options):
    """A CLIP model and how it is asked about classes."""

    clip_model: str
    """Hub id, folder, or `embedded:clip`."""
    clip_revision: str | None
    templates: list[str] = Field(min_length=1)
    """Sentences about a class, each with {class_name}; their embeddings are averaged."""
    batch_size: int = Field(ge=1)
    """Images scored together."""
    device: str
    """`auto`, or what torch calls the device."""

    @field_validator("templates")
    @classmethod
    def _name_the_class(cls, templates: list[str]) -> list[str]:
        for template in templates:
            if placeholders(template) != {CLASS_NAME}:
                raise ValueError(f"the template {template!r} must contain {{class_name}} and no other name in braces")
        return templates


class FilteringOptions(ScorerOptions):
    """How synthetic images are judged."""

    min_images_per_class: int = Field(ge=1)
    """With fewer real training images a quantile of one class means nothing, and classes are pooled."""
    clip_score: Rule
    """Rejects images that fit their class sentence worse than real training images usually do."""
    zero_shot: Rule
    """Rejects images that the scorer takes for another class, or for their own with less margin than real ones."""


class AgreementRule(Options):
    """A second opinion on boxes, by detectors trained on real images other than a scene's own."""

    enabled: bool
    confidence: float = Field(gt=0, lt=1)
    """Of a detection that counts."""
    iou: float = Field(gt=0, lt=1)
    """A box needs a detection that overlaps it at least so much."""
    same_class: bool
    """Whether the detection has to name the box's class."""


class UndeclaredRule(Options):
    """Objects in a scene that no box declares: trained on, they would teach a detector to overlook them."""

    enabled: bool
    confidence: float = Field(gt=0, lt=1)
    """Of a detection that counts."""
    covered: float = Field(gt=0, lt=1)
    """A detection of which boxes cover at least this share is explained."""


class DetectionFilteringOptions(FilteringOptions):
    """How synthetic scenes are judged: every box of one has to pass every rule; `min_images_per_class` counts boxes."""

    crop_context: float = Field(ge=0)
    """Crops that CLIP judges are larger than the box by this share on each side."""
    unchanged_share: float = Field(gt=0, le=1)
    """A box of which at least this share of pixels is that of the same box in the source image keeps a person's label
    and is not judged."""
    detector_agreement: AgreementRule
    undeclared_objects: UndeclaredRule

    @property
    def needs_references(self) -> bool:
        """Whether a rule asks for the detectors' second opinion."""
        return self.detector_agreement.enabled or self.undeclared_objects.enabled
