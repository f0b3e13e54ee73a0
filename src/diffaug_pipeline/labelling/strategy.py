"""What every label strategy can do, and the strategies by name.

A strategy has two halves. Before synthesis it says which pictures the generator is to make: objects, parts of real
images, whole scenes. After synthesis it turns those pictures into scenes with boxes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from diffaug_pipeline.imaging.image_set import ImageSet, PlannedImageSet
from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.synthesis.options import Mode, SynthesisOptions


@dataclass(frozen=True)
class PlanRequest:
    """What there is to know when a synthesis plan is made."""

    train: ImageSet
    """Real training images with boxes."""
    labelling: LabellingOptions
    synthesis: SynthesisOptions
    size_px: tuple[int, int]
    """Width and height of what the generator makes."""
    class_counts: Mapping[str, int]
    """Objects of each class that a strategy of `OBJECTS_BY_CLASS` asks for."""
    sentences: Callable[[str], list[str]]
    """The prompts a class can be asked for with."""


class LabelStrategy(Protocol):
    """A module of this package."""

    MODE: Mode
    """How the generator is used."""

    def plan_rows(self, request: PlanRequest) -> list[dict[str, Any]]:
        """One row per picture to generate.

        `image_id`, `label` or `boxes` (in the generated picture's pixels; all rows have the same of the two),
        `source_image_id` (or null), `prompt`, `seed`, `strength` (or null), and what else determines the pixels.
        """

    def label_images(self, generated: ImageSet, real_images: ImageSet, options: LabellingOptions) -> PlannedImageSet:
        """The scenes, to be made; in the frame of their real image where there is one.

        The plan's columns are those of `scene_rows`; boxes stand in it, or travel inside the files (`encode_png`).
        """


def choose_strategy(options: LabellingOptions) -> LabelStrategy:
    """The module the options name; only that one is loaded."""
    return import_module(f"diffaug_pipeline.labelling.{options.strategy}")
