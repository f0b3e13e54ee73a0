"""A request as YAML: what `conf/local/parameters.yml` has to say for a run to draw like it."""

from typing import Any

import yaml

from diffaug_pipeline.playground.request import Request
from diffaug_pipeline.prompts.options import Vocabulary

VOCABULARY = "playground"
"""What the vocabulary is called that only the request knows."""
SHARED = ("generator", "strength", "scheduler", "num_inference_steps", "guidance_scale", "eta", "seed")
NO_TEMPLATE = (
    "# The prompt is left out: a run prompts for every class, so it has to say {class_name} where the class goes.\n"
)
FROM_REAL_IMAGES = "# A run starts from its own training images, not from the one uploaded here.\n"
AS_DETECTION = "# Inpainting serves detection: a run draws objects anew inside their boxes, not what is marked here.\n"


def as_parameters(request: Request, preset_vocabulary: Vocabulary) -> str:
    """YAML for `conf/local/parameters.yml`; see `Request` for when its first pictures are those of the request.

    `preset_vocabulary` is what a run takes that names none.
    """
    synthesis = request.synthesis.model_dump(mode="json", include=set(SHARED))
    if request.synthesis.mode == "text_to_image":
        del synthesis["strength"]
    block: dict[str, Any] = {"synthesis": synthesis}
    if request.synthesis.mode == "inpainting":
        task, notes = "detection", AS_DETECTION
        block["labelling"] = {"strategy": "object_inpainting"}
    else:
        task, notes = "classification", FROM_REAL_IMAGES if request.synthesis.mode == "image_to_image" else ""
        synthesis |= request.synthesis.model_dump(mode="json", include={"mode", "output_size"})
    parameters: dict[str, Any] = {task: block}
    if request.vocabulary != preset_vocabulary:
        block["prompts"] = {"vocabulary": VOCABULARY}
        parameters["vocabularies"] = {VOCABULARY: request.vocabulary.model_dump(mode="json")}
    if request.prompt and not request.names_the_class:
        notes += NO_TEMPLATE
    return notes + yaml.safe_dump(parameters, sort_keys=False, allow_unicode=True, width=120)
