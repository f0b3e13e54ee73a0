"""Parameters of labelling."""

from typing import Literal

from pydantic import Field, model_validator

from diffaug_pipeline.options import Options

StrategyName = Literal[
    "background_inpainting", "composition", "object_inpainting", "image_to_image", "pseudo_labelling"
]
OBJECTS_STAY_REAL: tuple[StrategyName, ...] = ("background_inpainting",)
"""Strategies that ask the generator for no class of the dataset."""
OBJECTS_BY_CLASS: tuple[StrategyName, ...] = ("composition",)
"""Strategies that ask for so many objects of each class; the others ask for so many scenes."""
Matting = Literal["dark_ground", "grab_cut", "clip_segmentation"]
"""`dark_ground`: what is black around the object is ground; `grab_cut`: color models of ground and object, from a box
(Rother et al. 2004); `clip_segmentation`: a text-prompted CLIPSeg model (Lüddecke and Ecker 2022)."""


class CompositionOptions(Options):
    """Objects pasted onto real training images."""

    matting: Matting
    """How generated objects are cut out; real ones are cut with `grab_cut`."""
    matting_model: str
    """Hub id or folder of the CLIPSeg model, for `clip_segmentation`."""
    min_objects: int = Field(ge=1)
    max_objects: int = Field(ge=1)
    """Objects pasted per scene, beside those the background already shows."""
    min_visible: float = Field(gt=0, le=1)
    """Share of itself that every object of a scene keeps showing."""
    feather_px: list[float] = Field(min_length=1)
    """Widths of the softened edge, drawn at random, so that no seam is typical (Dwibedi et al. 2017, section 3.3)."""
    match_colors: bool
    """Whether an object takes mean and spread of the colors of a real object of its class (Reinhard et al. 2001)."""

    @model_validator(mode="after")
    def _in_order(self) -> "CompositionOptions":
        if self.min_objects > self.max_objects:
            raise ValueError(f"min_objects ({self.min_objects}) is more than max_objects ({self.max_objects})")
        return self


class BackgroundInpaintingOptions(Options):
    """Everything but the objects is drawn anew."""

    prompts: list[str] = Field(min_length=1)
    """What the new surroundings show; no class of the dataset should be in them."""
    margin: float = Field(ge=0, lt=1)
    """How far around its box an object's surroundings are kept, as a share of the box."""
    feather_px: float = Field(ge=0)
    """Width, in pixels of the real image, over which kept and new pixels blend outside the boxes."""


class ObjectInpaintingOptions(Options):
    """One object of a real image is drawn anew."""

    context: float = Field(gt=0)
    """How much of its surroundings the generator sees on each side, as a share of the box."""
    feather_px: float = Field(ge=0)
    """Width, in pixels of the real image, over which old and new pixels blend inside the box."""
    change_threshold: float = Field(ge=0, lt=1)
    """Mean absolute change of a pixel, on [0, 1], from which it belongs to the new object."""
    min_changed: float = Field(ge=0, lt=1)
    """A box of which less than this share changed keeps its place; of the others the box is tightened to the change."""


class PseudoLabellingOptions(Options):
    """Whole scenes from text; a detector finds the objects."""

    detector: str
    """Hub id or folder of an open-vocabulary detector of transformers, OWLv2 or Grounding DINO; or `references`: the
    YOLOs of the filter, trained on real images alone."""
    revision: str | None
    confidence: float = Field(gt=0, lt=1)
    """Of detections that become boxes."""
    iou: float = Field(gt=0, le=1)
    """Detections that overlap a more confident one by more are dropped."""
    classes_per_scene: int = Field(ge=1)
    """Classes named in a prompt."""


REFERENCES = "references"


class LabellingOptions(Options):
    """Where the boxes of synthetic scenes come from."""

    strategy: StrategyName
    images: int = Field(ge=1)
    """Scenes to make, before filtering."""
    batch_size: int = Field(ge=1)
    """Scenes stored together."""
    device: str
    """`auto`, or what torch calls the device, for models that cut out or detect."""
    seed: int = Field(ge=0)
    composition: CompositionOptions
    background_inpainting: BackgroundInpaintingOptions
    object_inpainting: ObjectInpaintingOptions
    pseudo_labelling: PseudoLabellingOptions

    @property
    def needs_references(self) -> bool:
        """Whether the boxes come from the YOLOs trained on real images."""
        return self.strategy == "pseudo_labelling" and self.pseudo_labelling.detector == REFERENCES
