"""What was drawn, as HTML; the pictures are inside, byte for byte as a run stores them."""

import base64
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from jinja2 import Environment, PackageLoader
from PIL import Image

from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.synthesis.options import GeneratorPreset

if TYPE_CHECKING:
    from diffaug_pipeline.playground.studio import Drawn

TEMPLATES = Environment(
    loader=PackageLoader("diffaug_pipeline.app"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
SMALLEST_PX, LARGEST_PX = 112, 256
"""How wide pictures are shown at least and at most; smaller ones are enlarged with their pixels sharp."""


def show_pictures(all_drawn: Sequence["Drawn"], sources: ImageSet, preset: GeneratorPreset) -> str:
    """A section for each way of drawing: its figures, the source if there is one, the pictures."""
    shown = [
        {
            "label": drawn.label,
            "figures": _figures(drawn),
            "note": drawn.note,
            "pictures": [
                {"url": _url(picture), "prompt": prompt, "recipe": recipe}
                for picture, prompt, recipe in zip(drawn.pictures, drawn.prompts, drawn.recipes, strict=True)
            ],
        }
        for drawn in all_drawn
    ]
    source = next((_url(encode_png(image)) for image in sources), None)
    width_px = Image.open(BytesIO(all_drawn[0].pictures[0])).width
    return TEMPLATES.get_template("drawn.html.jinja").render(
        all_drawn=shown,
        source=source,
        terms=f"{preset.model}; {preset.terms}",
        width_px=min(max(width_px, SMALLEST_PX), LARGEST_PX),
        enlarged=width_px < SMALLEST_PX,
    )


def _figures(drawn: "Drawn") -> str:
    plural = "" if drawn.model_evaluations == 1 else "s"
    score = (
        "no CLIP score: the scorer was not taught this"
        if np.isnan(drawn.clip_scores).any()
        else f"CLIP score {np.mean(drawn.clip_scores):.3f} to {drawn.scored_against}"
    )
    first = ", the first pictures take longer" if drawn.is_first else ""
    return f"{drawn.seconds:.2f} s{first} · {drawn.model_evaluations} model evaluation{plural} per picture · {score}"


def _url(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
