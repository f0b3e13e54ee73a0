"""Diffusion pipelines, loaded by diffusers' auto classes; one copy of the weights serves all modes."""

import logging
import warnings

import torch
from diffusers import (
    AutoPipelineForImage2Image,
    AutoPipelineForInpainting,
    AutoPipelineForText2Image,
    DiffusionPipeline,
)
from torch import nn

from diffaug_pipeline.errors import ModelFolderError
from diffaug_pipeline.synthesis.adapters import adapter_file
from diffaug_pipeline.synthesis.families import pipeline_class
from diffaug_pipeline.synthesis.models import hush_loading_bars, loading_errors, locate_model, model_source
from diffaug_pipeline.synthesis.options import Adapter, Dtype, GeneratorPreset, Mode

BESIDE_WEIGHTS = 1.25
"""Memory asked for per byte of weights: a quarter more for one picture's activations and what the driver keeps."""

AUTO_CLASSES = {"image_to_image": AutoPipelineForImage2Image, "inpainting": AutoPipelineForInpainting}

logger = logging.getLogger(__name__)


def load_pipeline(preset: GeneratorPreset, dtype: Dtype, device: str, revision: str) -> DiffusionPipeline:
    """The preset's model with its adapters, for text-to-image; see `in_mode` for the others.

    `revision` is the commit of a hub repository; a folder has its content. Only safetensors are loaded. Raises
    `ModelFolderError` where the files are damaged or do not make a pipeline, `HubError` where they cannot be had.
    """
    local = locate_model(preset.model) is not None
    logger.log(logging.INFO if preset.commercial_use else logging.WARNING, "%s; %s", preset.model, preset.terms)
    hush_loading_bars()
    with loading_errors(preset.model):
        pipeline = AutoPipelineForText2Image.from_pretrained(
            model_source(preset.model),
            dtype=getattr(torch, dtype),
            revision=None if local else revision,
            variant=preset.variant,
            use_safetensors=True,
            local_files_only=local,
        )
    _refuse_absent_weights(pipeline, preset.model)
    _add_adapters(pipeline, preset.adapters)
    if getattr(pipeline, "safety_checker", None) is not None:
        logger.warning("The model's safety checker is off: it would put black pictures in place of flagged ones.")
        pipeline.safety_checker = None
    for part in (getattr(pipeline, "unet", None), getattr(pipeline, "vae", None)):
        if part is not None:
            part.to(memory_format=torch.channels_last)
    pipeline.set_progress_bar_config(disable=True)
    return _place(pipeline, device)


def in_mode(pipeline: DiffusionPipeline, mode: Mode) -> DiffusionPipeline:
    """The same weights behind another mode, whether the model was trained for it or not.

    Raises `ParameterError` where its family does not offer the mode; see `pipeline_class`.
    """
    pipeline_class(type(pipeline).__name__, mode)
    if mode == "text_to_image":
        return pipeline
    other = AUTO_CLASSES[mode].from_pipe(pipeline)
    other.set_progress_bar_config(disable=True)
    return other


def needs_offload(weights_bytes: int, free_bytes: int) -> bool:
    """Whether an accelerator with `free_bytes` should hold one part of the model at a time.

    >>> needs_offload(weights_bytes=5 << 30, free_bytes=8 << 30), needs_offload(7 << 30, 8 << 30)
    (False, True)
    """
    return weights_bytes * BESIDE_WEIGHTS > free_bytes


def _place(pipeline: DiffusionPipeline, device: str) -> DiffusionPipeline:
    # Only CUDA has memory of its own: on mps parts moved to the processor would stay in the same memory.
    if torch.device(device).type == "cuda":
        weights, (free, _) = _weights_bytes(pipeline), torch.cuda.mem_get_info(device)
        if needs_offload(weights, free):
            logger.warning(
                "The model's %.1f GiB of weights leave too little of the %.1f GiB free on %s: its parts take turns "
                "there, which is slower. A preset with smaller weights, or dtype float16, may fit.",
                weights / (1 << 30),
                free / (1 << 30),
                device,
            )
            pipeline.enable_model_cpu_offload(device=device)
            return pipeline
    return pipeline.to(device)


def _weights_bytes(pipeline: DiffusionPipeline) -> int:
    parts = [part for part in pipeline.components.values() if isinstance(part, nn.Module)]
    return sum(tensor.nbytes for part in parts for tensors in (part.parameters(), part.buffers()) for tensor in tensors)


def _refuse_absent_weights(pipeline: DiffusionPipeline, model: str) -> None:
    """What a file does not hold diffusers leaves without memory, and says so where the model is moved."""
    networks = {name: part for name, part in pipeline.components.items() if isinstance(part, nn.Module)}
    for name, network in networks.items():
        if absent := [key for key, value in network.state_dict().items() if value.is_meta]:
            raise ModelFolderError(
                f"the {name} of {model} lacks {len(absent)} weights, e.g. {absent[0]}; see whether it is whole and "
                "of the kind its config.json says."
            )


def _add_adapters(pipeline: DiffusionPipeline, adapters: list[Adapter]) -> None:
    names = [f"adapter_{number}" for number in range(len(adapters))]
    for name, adapter in zip(names, adapters, strict=True):
        file = adapter_file(adapter)
        with loading_errors(adapter.model), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Already found a `peft_config`")  # several adapters are what is wanted
            pipeline.load_lora_weights(file.parent, weight_name=file.name, adapter_name=name, local_files_only=True)
    if names:
        with loading_errors(", ".join(adapter.model for adapter in adapters)):
            pipeline.set_adapters(names, [adapter.scale for adapter in adapters])
