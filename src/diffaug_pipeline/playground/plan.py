"""A request as the rows of a synthesis plan, checked like those of a run."""

from typing import Any

import pandas as pd

from diffaug_pipeline.playground.mask import mask_boxes
from diffaug_pipeline.playground.presets import check_is_here
from diffaug_pipeline.playground.request import SOURCE, Request
from diffaug_pipeline.prompts.plan import class_rows, complete_plan, contents_of, shared_columns
from diffaug_pipeline.synthesis.known_classes import classes_taught, describe_unknown


def plan_request(request: Request) -> pd.DataFrame:
    """One row per picture, as `prompts.plan.plan_synthesis` would plan a class of which the source is the only image.

    Raises what planning a run raises, and `ModelFolderError` where the model's files are not on this machine.
    """
    check_is_here(request.preset)
    request.synthesis.check_strengths(request.preset)
    sources = contents_of(request.sources)
    rows = class_rows(request.subject, request.count, request.sentences, sources, request.synthesis)
    if request.synthesis.mode == "inpainting":
        rows = [row | _inpainting_columns(request) for row in rows]
    return complete_plan(rows, shared_columns(request.synthesis, request.preset, request.vocabulary), request.sources)


def describe_strangeness(request: Request) -> str | None:
    """A sentence where the generator was only taught certain classes and is asked for something else."""
    taught = classes_taught(request.preset.model)
    if taught is None or request.asks_for_one_of(taught):
        return None
    return describe_unknown(request.preset.model, [request.class_name if request.goes_by_class else request.prompt])


def _inpainting_columns(request: Request) -> dict[str, Any]:
    size_px = request.preset.width_px, request.preset.height_px
    width, height = request.sources.index[["width_px", "height_px"]].iloc[0].tolist()
    return {
        "source_image_id": SOURCE,
        "strength": request.synthesis.strengths[0],
        "region_xyxy": [0, 0, width, height],
        "mask_xyxy": mask_boxes(request.mask, size_px, request.synthesis.fit),
        "mask_kind": "redraw",
    }
