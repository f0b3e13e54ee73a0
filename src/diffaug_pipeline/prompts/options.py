"""Parameters of prompts."""

from typing import Literal

from pydantic import Field, RootModel, field_validator, model_validator

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.options import CLASS_NAME, Options, placeholders


class Vocabulary(Options):
    """Sentences and the words that vary in them."""

    templates: list[str] = Field(min_length=1)
    """Each names {class_name} and any of the axes, e.g. "a photo of a {class_name}, {light}"."""
    axes: dict[str, list[str]]
    """Words per axis; an empty word leaves the axis out."""
    negative_prompt: str
    """What pictures should not show; used where guidance is above 1."""

    @field_validator("templates")
    @classmethod
    def _names_the_class(cls, templates: list[str]) -> list[str]:
        for template in templates:
            if CLASS_NAME not in placeholders(template):
                raise ValueError(f"the template {template!r} does not contain {{class_name}}")
        return templates

    @model_validator(mode="after")
    def _knows_its_axes(self) -> "Vocabulary":
        for template in self.templates:
            if unknown := placeholders(template) - {CLASS_NAME, *self.axes}:
                raise ValueError(
                    f"the template {template!r} uses {', '.join(sorted(unknown))}; axes are "
                    f"{', '.join(sorted(self.axes)) or 'none'}"
                )
        if empty := [name for name, words in self.axes.items() if not words]:
            raise ValueError(f"the axes {', '.join(empty)} have no words")
        return self


class Vocabularies(RootModel[dict[str, Vocabulary]]):
    """Vocabularies by name; each generator preset names the one that suits it."""

    def choose(self, name: str) -> Vocabulary:
        """The vocabulary called `name`."""
        if name not in self.root:
            raise ParameterError(f"there is no vocabulary {name!r}; there are {', '.join(sorted(self.root))}.")
        return self.root[name]


class PromptOptions(Options):
    """What is asked of the generator."""

    vocabulary: str | None
    """A name from `vocabularies`; null takes the one of the generator."""
    wording: dict[str, str]
    """What to call a class in prompts where its name would mislead, e.g. crane: "crane, a bird"."""


class BudgetOptions(Options):
    """How many synthetic images each class gets."""

    allocation: Literal["uniform", "balance", "weakness"]
    """Equal numbers; as many as make real and synthetic ones together as equal as can be; or more where models trained
    on real images alone err more on validation images."""
    total: int | None = Field(ge=1)
    """Images to make; null: synthesis.images_per_class times the classes."""
    quota: int | None = Field(ge=1)
    """Once so many images of a class have passed the filter's rules about single images, no more of it are made; null
    makes all that are planned. Classification only."""

    @property
    def needs_references(self) -> bool:
        """Whether models trained on real images alone are asked for their errors."""
        return self.allocation == "weakness"
