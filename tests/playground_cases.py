"""Requests to a tiny generator, and runs to compare them with."""

from pathlib import Path
from typing import Any

from factories import generator_preset, synthesis_options

from diffaug_pipeline.playground.request import Request, no_source, request_vocabulary
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies

VOCABULARIES = Vocabularies(
    {"plain": {"templates": ["a photo of a {class_name}", "a {class_name}"], "axes": {}, "negative_prompt": "blurry"}}
)
PROMPTS = PromptOptions(vocabulary=None, wording={"cat": "house cat"})


def request(model: Path | str, **changes: Any) -> Request:
    """Three cats, from text; `changes` are values of the request or of its options."""
    values = {
        "preset": generator_preset(str(model)),
        "class_name": "cat",
        "prompt": "",
        "wording": PROMPTS.wording,
        "count": 3,
        "sources": no_source(),
        "mask": None,
    }
    options = {key: changes.pop(key) for key in changes.keys() - values.keys() - {"negative_prompt"}}
    if options.get("mode") == "image_to_image":
        options = {"output_size": "source"} | options
    values |= {key: value for key, value in changes.items() if key in values}
    vocabulary = request_vocabulary(
        VOCABULARIES.choose("plain"), values["prompt"], changes.get("negative_prompt", "blurry")
    )
    return Request(synthesis=synthesis_options(**options), vocabulary=vocabulary, **values)
