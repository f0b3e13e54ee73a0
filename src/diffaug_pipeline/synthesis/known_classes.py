"""Some models were only ever taught a few classes; asking them for others must not go unnoticed."""

import json
import logging

from diffaug_pipeline.errors import UnknownClassesError
from diffaug_pipeline.synthesis.models import locate_model
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions

logger = logging.getLogger(__name__)

TRAINED_ON = "trained_on.json"
LOW_STRENGTH = 0.4


def classes_taught(model: str) -> list[str] | None:
    """The class names in a model folder's `trained_on.json`; None for a model that may know anything."""
    folder = locate_model(model)
    if folder is None or not (folder / TRAINED_ON).is_file():
        return None
    return json.loads((folder / TRAINED_ON).read_text())["classes"]


def unknown_classes(model: str, class_names: list[str]) -> list[str]:
    """The classes the model was never taught."""
    taught = classes_taught(model)
    return [] if taught is None else [name for name in class_names if name not in taught]


def check_known_classes(preset: GeneratorPreset, class_names: list[str], synthesis: SynthesisOptions) -> None:
    """Raises unless the classes are known, the sources carry the class through low strength, or the user insists."""
    unknown = unknown_classes(preset.model, class_names)
    if not unknown:
        return
    sentence = describe_unknown(preset.model, unknown)
    keeps_the_class = synthesis.mode != "text_to_image" and max(synthesis.strengths) <= LOW_STRENGTH
    if not keeps_the_class and not synthesis.allow_unknown_classes:
        raise UnknownClassesError(
            f"{sentence} Choose a generator that knows them (synthesis.generator: sd15, sd21 or sdxl), or start from "
            "real images (synthesis.mode, for detection labelling.strategy: image_to_image) with synthesis.strength "
            f"at most {LOW_STRENGTH}, or insist with synthesis.allow_unknown_classes: true."
        )
    logger.warning(sentence)


def describe_unknown(model: str, unknown: list[str]) -> str:
    """One sentence on what the model knows and what it was asked for."""
    shown = ", ".join(unknown[:8]) + (", …" if len(unknown) > 8 else "")
    return f"The model {model} only knows {', '.join(classes_taught(model))}; it was never taught {shown}."
