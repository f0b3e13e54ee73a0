"""The base of all parameter blocks: closed, frozen, without defaults, so YAML is the only place of a value."""

import string
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

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


def unknown_parameters(parameters: Mapping[str, Any], blocks: Collection[str], above: str = "") -> Iterator[str]:
    """A sentence for each parameter that lies in none of the `blocks`: nobody would read it.

    >>> list(unknown_parameters({"detection": {"trainin": {"steps": 5}}}, ["detection.training"]))
    ['detection.trainin: there is no such parameter; did you mean detection.training?']
    """
    here = {name.removeprefix(above).split(".")[0] for name in blocks if name.startswith(above)}
    for key, value in parameters.items():
        name = f"{above}{key}"
        if name in blocks:
            continue
        if key not in here:
            close = get_close_matches(str(key), here, n=1)
            advice = f"did you mean {above}{close[0]}?" if close else f"there are {', '.join(sorted(here))}."
            yield f"{name}: there is no such parameter; {advice}"
        elif isinstance(value, Mapping):
            yield from unknown_parameters(value, blocks, f"{name}.")
        else:
            first = min(block for block in blocks if block.startswith(f"{name}."))
            yield f"{name}: holds blocks of parameters, e.g. {first}; it is {value!r}"


def lists_in(parameters: Mapping[str, Any], above: str = "") -> list[str]:
    """The dotted names of parameters that are lists.

    >>> lists_in({"detection": {"filtering": {"rules": ["blank"]}, "budget": {"total": 5}}})
    ['detection.filtering.rules']
    """
    found = []
    for key, value in parameters.items():
        if isinstance(value, Mapping):
            found += lists_in(value, f"{above}{key}.")
        elif isinstance(value, list):
            found.append(f"{above}{key}")
    return found
