"""The base of all parameter blocks: closed, frozen, without defaults, so YAML is the only place of a value."""

import string

from pydantic import BaseModel, ConfigDict

CLASS_NAME = "class_name"
"""What a sentence template calls the class."""


class Options(BaseModel):
    """A block of `conf/<env>/parameters*.yml`; a missing, misspelt or impossible value stops a run before it starts."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        protected_namespaces=(),
        ser_json_inf_nan="strings",
    )


def placeholders(template: str) -> set[str]:
    """The names in braces.

    >>> sorted(placeholders("a {tone} {class_name}"))
    ['class_name', 'tone']
    """
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
