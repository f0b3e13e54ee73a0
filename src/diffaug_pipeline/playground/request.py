"""What is asked for at one press of a button, in the terms of a run's parameters."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pandas as pd
from PIL import Image
from pydantic import ValidationError

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.image_set import COLUMNS, ImageSet
from diffaug_pipeline.ingestion.image_file import Refusal, inspect_picture
from diffaug_pipeline.options import CLASS_NAME, Options, placeholders
from diffaug_pipeline.prompts.options import Vocabulary
from diffaug_pipeline.prompts.sentences import sentences
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions
from diffaug_pipeline.synthesis.schedulers import SOLVERS, SchedulerName

MOST_PICTURES = 16
SOURCE = "source"
"""The `image_id` of the uploaded picture."""


@dataclass(frozen=True)
class Request:
    """Pictures of one kind.

    A run with these options makes the same ones, byte for byte, of the class as its first: from text where the class
    says what they show, and from the source where that is the first one of the class.
    """

    preset: GeneratorPreset
    synthesis: SynthesisOptions
    vocabulary: Vocabulary
    """Of a run that words its prompts as here; its negative prompt is this request's."""
    class_name: str
    """What the pictures show; empty where the prompt alone says it."""
    prompt: str
    """Empty: the vocabulary's sentences about the class, in turn."""
    wording: Mapping[str, str]
    """What to call a class in prompts, where that is not its name."""
    count: int
    sources: ImageSet
    """The uploaded picture, or none."""
    mask: Image.Image | None
    """Mode L, of the source's size, white where the source is to be drawn anew; inpainting only."""

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST_PICTURES:
            raise ParameterError(f"the count is {self.count}; at a time 1 to {MOST_PICTURES} pictures are made.")
        if not self.class_name and not self.prompt:
            raise ParameterError("neither a class nor a prompt is given; say what the pictures are to show.")
        if not self.class_name and self.names_the_class:
            raise ParameterError("the prompt says {class_name}, but no class is given; name one.")
        if self.synthesis.mode == "text_to_image":
            return
        if not len(self.sources):
            raise ParameterError(f"{self.synthesis.mode} starts from a picture; upload one as the source.")
        if self.synthesis.mode == "inpainting" and (self.mask is None or self.mask.getbbox() is None):
            raise ParameterError("nothing is marked on the source; draw on it what is to be made anew.")

    @property
    def names_the_class(self) -> bool:
        """Whether the prompt is a template, as those of a run's vocabulary are."""
        return CLASS_NAME in _placeholders(self.prompt)

    @property
    def goes_by_class(self) -> bool:
        """Whether the class says what the pictures show, and not the prompt alone."""
        return not self.prompt or self.names_the_class

    def asks_for_one_of(self, class_names: Collection[str]) -> bool:
        """Whether the pictures are to show something of these classes."""
        if self.goes_by_class:
            return self.class_name in class_names
        return any(name in self.prompt for name in class_names)

    @property
    def subject(self) -> str:
        """What the seeds go by: the class, as in a run, or the prompt."""
        return self.class_name or self.prompt

    @property
    def sentences(self) -> list[str]:
        """What is asked of the generator, in turn."""
        if not self.goes_by_class:
            return [self.prompt]
        return sentences(self.vocabulary, self.wording.get(self.class_name, self.class_name))

    @property
    def label(self) -> str:
        """What tells it from the others of a comparison."""
        synthesis = self.synthesis
        words = [synthesis.scheduler_with(self.preset), f"{synthesis.steps_with(self.preset)} steps"]
        words += [] if synthesis.eta is None else [f"eta {synthesis.eta:g}"]
        words += [] if synthesis.mode == "text_to_image" else [f"strength {synthesis.strengths[0]:g}"]
        return ", ".join(words)

    def with_scheduler(self, name: SchedulerName) -> Self:
        """The same with another scheduler; where eta means nothing to it, without."""
        eta = self.synthesis.eta if SOLVERS[name].has_eta else None
        return self._with_options(scheduler=name, eta=eta)

    def with_strength(self, strength: float) -> Self:
        """The same from a source with more or less noise."""
        return self._with_options(strength=strength)

    def _with_options(self, **changes: Any) -> Self:
        return replace(self, synthesis=with_changes(self.synthesis, **changes))


def request_vocabulary(vocabulary: Vocabulary, prompt: str, negative_prompt: str) -> Vocabulary:
    """`vocabulary` with the prompt for its only template, if it is one, and the negative prompt.

    Raises `ParameterError` for a template with words in braces that are neither {class_name} nor an axis.
    """
    templates = [prompt] if CLASS_NAME in _placeholders(prompt) else vocabulary.templates
    return with_changes(vocabulary, templates=templates, negative_prompt=negative_prompt)


def with_changes(options: Options, **changes: Any) -> Any:
    """`options` with some values exchanged, validated as YAML is. Raises `ParameterError` naming every bad value."""
    try:
        return type(options)(**options.model_dump() | changes)
    except ValidationError as error:
        raise ParameterError("; ".join(map(_sentence, error.errors())) + ".") from error


def read_source(path: Path, max_megapixels: float) -> ImageSet:
    """One picture in any format and orientation, as a run would take it in.

    Raises `ParameterError` for what is no picture, is damaged, or is larger than `max_megapixels`.
    """
    found = inspect_picture(path.read_bytes(), path.name, max_megapixels)
    if isinstance(found, Refusal):
        raise ParameterError(f"the source cannot be used: {found.reason}; upload another picture.")
    row = {
        "image_id": SOURCE,
        "path": str(path),
        "split": "train",
        "origin": "real",
        "label": "",
        "recipe": None,
        **found.columns,
    }
    return ImageSet(pd.DataFrame([row]))


def no_source() -> ImageSet:
    """For text-to-image."""
    return ImageSet(pd.DataFrame(columns=[*COLUMNS, "label"]))


def _placeholders(prompt: str) -> set[str]:
    try:
        return placeholders(prompt)
    except ValueError as error:
        raise ParameterError(
            f"the braces of the prompt do not match ({error}); write {{class_name}} for the class, and no other braces."
        ) from error


def _sentence(error: Mapping[str, Any]) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return message
    return f"{'.'.join(map(str, error['loc']))} is {error['input']!r}: {message[0].lower()}{message[1:]}"
