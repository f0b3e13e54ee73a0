"""Parameters of filtering."""

from typing import Literal

from pydantic import Field, field_validator

from diffaug_pipeline.options import Options

RuleName = Literal["leakage", "blank", "clip_score", "zero_shot", "memorisation", "task_model", "near_duplicates"]
SceneRuleName = Literal[
    "leakage",
    "blank",
    "clip_score",
    "zero_shot",
    "memorisation",
    "detector_agreement",
    "undeclared_objects",
    "near_duplicates",
]


class QuantileRule(Options):
    """A threshold set by real training images."""

    quantile: float = Field(ge=0, lt=1)
    """Share of the real training images of a class that the threshold would reject."""


class BlankRule(Options):
    """Pictures on which there is hardly anything, or nothing but black and white."""

    quantile: float = Field(ge=0, lt=1)
    """Of contrast and midtones of real training images: what all but this share of them have."""
    share: float = Field(gt=0, le=1)
    """A picture needs at least this share of that."""
    min_contrast: float = Field(ge=0, le=0.5)
    """Standard deviation of the brightness, of 1, that every picture needs, whatever real ones have."""


class MemorisationRule(Options):
    """Copies of real training images are always rejected."""

    min_source_distance: float | None = Field(ge=0, le=1)
    """Pictures nearer to their own source are rejected as well: image-to-image left them as they were. null: none."""


class TaskModelRule(Options):
    """What classifiers trained on other real images make of an image."""

    min_confidence: float = Field(ge=0, lt=1)
    """Probability below which nothing is sure, however little real images get: poor classifiers accuse nobody."""
    keep_confident: float = Field(gt=0, le=1)
    """Share of the images kept of which they are as sure as of real ones: such images may teach little."""
    seed: int = Field(ge=0)
    """Decides which ones."""


class NearDuplicatesRule(Options):
    """Synthetic images more alike than real ones are; the best of them stays."""

    quantile: float = Field(ge=0, lt=1)
    """Of the distances of real training images to their nearest neighbours."""
    share: float = Field(gt=0, le=1)
    """Of that distance, below which two images count as one: synthetic images are many, and lie closer for that."""


class AgreementRule(Options):
    """A second opinion on boxes, by detectors trained on real images other than a scene's own."""

    confidence: float = Field(gt=0, lt=1)
    """Of a detection that counts."""
    iou: float = Field(gt=0, lt=1)
    """A box needs a detection that overlaps it at least so much."""
    same_class: bool
    """Whether the detection has to name the box's class."""


class UndeclaredRule(Options):
    """Objects in a scene that no box declares: trained on, they would teach a detector to overlook them."""

    confidence: float = Field(gt=0, lt=1)
    """Of a detection that counts."""
    covered: float = Field(gt=0, lt=1)
    """A detection of which boxes cover at least this share is explained."""


class RankedSelection(Options):
    """Which of the images that pass all rules are taken."""

    policy: Literal["threshold", "top_k", "top_share"]
    """`threshold`: all; `top_k`, `top_share`: the best by `score`."""
    top_k: int = Field(ge=1)
    """How many, for policy `top_k`."""
    top_share: float = Field(gt=0, le=1)
    """Which share of them, for policy `top_share`."""

    @property
    def most(self) -> int | None:
        """How many are taken under any policy; None: any number."""
        raise NotImplementedError

    @property
    def ranks(self) -> bool:
        """Whether scores decide what is taken."""
        return self.policy != "threshold" or self.most is not None


class SelectionOptions(RankedSelection):
    """Class by class."""

    score: Literal["clip_score", "zero_shot_probability", "zero_shot_margin"]
    cap_per_class: int | None = Field(ge=1)
    """At most so many of a class, the best by `score`, under any policy."""

    @property
    def most(self) -> int | None:
        """See the base class."""
        return self.cap_per_class


class SceneSelectionOptions(RankedSelection):
    """Among all scenes: one may show several classes."""

    score: Literal["clip_score", "zero_shot"]
    """Of its worst box."""
    cap: int | None = Field(ge=1)
    """At most so many scenes, the best by `score`, under any policy."""

    @property
    def most(self) -> int | None:
        """See the base class."""
        return self.cap


class CommonFilteringOptions(Options):
    """What filters of images and of scenes share; the thresholds of a rule stand in the block of its name."""

    overrides: str | None
    """A file of thresholds and decisions on single images that a person made (see `overrides`), written by the app's
    filter desk; a missing one overrides nothing. null: none is looked for."""
    min_images_per_class: int = Field(ge=1)
    """With fewer real training images a quantile of one class means nothing, and classes are pooled."""
    blank: BlankRule
    """Rejects blank, near-constant and saturated pictures, the black ones of a safety checker among them."""
    clip_score: QuantileRule
    """Rejects images that fit their class sentence worse than real training images usually do."""
    zero_shot: QuantileRule
    """Rejects images that the scorer takes for another class, or for their own with less margin than real ones."""
    memorisation: MemorisationRule
    near_duplicates: NearDuplicatesRule

    @field_validator("rules", check_fields=False)
    @classmethod
    def _each_once_and_the_set_rule_last(cls, rules: list[str]) -> list[str]:
        if repeated := sorted({rule for rule in rules if rules.count(rule) > 1}):
            raise ValueError(f"{', '.join(repeated)} stands in the list more than once; a rule applies once")
        if "near_duplicates" in rules[:-1]:
            raise ValueError(
                "near_duplicates has to be the last rule: an image that it keeps and a later rule rejects would have "
                "put out its look-alikes for nothing"
            )
        return rules


class FilteringOptions(CommonFilteringOptions):
    """How synthetic images are judged."""

    rules: list[RuleName]
    """Which rules apply, in this order: the first that an image fails is the reason it is rejected for."""
    task_model: TaskModelRule
    selection: SelectionOptions

    @property
    def needs_references(self) -> bool:
        """Whether a rule asks for cross-fitted classifiers."""
        return "task_model" in self.rules


class DetectionFilteringOptions(CommonFilteringOptions):
    """How synthetic scenes are judged: every box of one has to pass every rule; `min_images_per_class` counts boxes."""

    rules: list[SceneRuleName]
    """Which rules apply, in this order: the first that a scene fails is the reason it is rejected for."""
    unchanged_share: float = Field(gt=0, le=1)
    """A box of which at least this share of pixels is that of the same box in the source image keeps a person's label
    and is not judged."""
    detector_agreement: AgreementRule
    undeclared_objects: UndeclaredRule
    selection: SceneSelectionOptions

    @property
    def needs_references(self) -> bool:
        """Whether a rule asks for the detectors' second opinion."""
        return bool({"detector_agreement", "undeclared_objects"} & set(self.rules))
