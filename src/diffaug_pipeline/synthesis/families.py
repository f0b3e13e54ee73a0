"""Which diffusers class serves a family of models in a mode, and whether it can be told what our plans say."""

import inspect

from diffusers import DiffusionPipeline
from diffusers.pipelines.auto_pipeline import (
    AUTO_IMAGE2IMAGE_PIPELINES_MAPPING,
    AUTO_INPAINT_PIPELINES_MAPPING,
    AUTO_TEXT2IMAGE_PIPELINES_MAPPING,
)

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.synthesis.options import Mode

CLASSES: dict[Mode, dict[str, type[DiffusionPipeline]]] = {
    "text_to_image": AUTO_TEXT2IMAGE_PIPELINES_MAPPING,
    "image_to_image": AUTO_IMAGE2IMAGE_PIPELINES_MAPPING,
    "inpainting": AUTO_INPAINT_PIPELINES_MAPPING,
}
ARGUMENTS: dict[Mode, tuple[str, ...]] = {
    "text_to_image": ("prompt", "width", "height"),
    "image_to_image": ("prompt", "image", "strength"),
    "inpainting": ("prompt", "image", "mask_image", "strength", "width", "height"),
}
"""What a pipeline of each mode is called with, beside the number of steps and the random generators."""


def family_of(class_name: str) -> str | None:
    """The family of a pipeline class, as diffusers' auto classes name it; None for classes they do not list.

    >>> family_of("StableDiffusionXLImg2ImgPipeline")
    'stable-diffusion-xl'
    """
    listed = (item for classes in CLASSES.values() for item in classes.items())
    return next((family for family, pipeline in listed if pipeline.__name__ == class_name), None)


def pipeline_class(class_name: str, mode: Mode) -> type[DiffusionPipeline]:
    """The class that serves models of the pipeline class `class_name` in `mode`.

    Raises `ParameterError` where there is none, or none that takes what a plan says.
    """
    family = family_of(class_name)
    if family is not None and "controlnet" in family:
        raise ParameterError(
            f"models of the kind {class_name} want a control image beside the prompt, which no plan has; choose "
            "another synthesis.generator, e.g. sd15."
        )
    served = CLASSES[mode].get(family)
    if served is None:
        others = [other for other, classes in CLASSES.items() if family in classes]
        raise ParameterError(
            f"models of the kind {class_name} offer no {mode} in diffusers; "
            + (f"they offer {' and '.join(others)}, or choose" if others else "choose")
            + " another synthesis.generator, e.g. sd15."
        )
    wanted = (*ARGUMENTS[mode], "num_inference_steps", "generator")
    if lacking := [name for name in wanted if not takes(served, name)]:
        raise ParameterError(
            f"models of the kind {class_name} take no {', '.join(lacking)}, which {mode} is planned with; "
            "choose another synthesis.generator, e.g. sd15."
        )
    return served


def takes(pipeline: DiffusionPipeline | type[DiffusionPipeline], argument: str) -> bool:
    """Whether the pipeline can be called with `argument`."""
    return argument in inspect.signature(pipeline.__call__).parameters
