"""Rows of scenes still to be made, with the provenance that synthetic images carry."""

from typing import Any

from diffaug_pipeline.prompts.plan import recipe_hash

PROVENANCE = (
    "mode",
    "prompt",
    "negative_prompt",
    "seed",
    "strength",
    "guidance_scale",
    "num_inference_steps",
    "scheduler",
    "eta",
    "timestep_spacing",
    "adapters",
    "model",
    "model_revision",
    "labeller",
    "labeller_revision",
)


def scene_row(
    image_id: str, strategy: str, source_image_id: str | None, generated: dict[str, Any], determining: dict[str, Any]
) -> dict[str, Any]:
    """One row: `generated` is the index row of a picture used, `determining` all that leads to the scene's pixels.

    `generated` names as `labeller` the model, if any, that cuts out the objects or finds them.
    """
    return {
        "image_id": image_id,
        "split": "train",
        "origin": "synthetic",
        "source_image_id": source_image_id,
        "strategy": strategy,
        **{column: generated.get(column) for column in PROVENANCE},
        "recipe": recipe_hash({"strategy": strategy, **determining}),
    }
