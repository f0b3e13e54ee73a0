"""What is chosen where the parameters leave it open: precision and batch size."""

from collections import Counter

import torch

from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.engines.choosing import worker_devices
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.synthesis.options import Dtype, GeneratorPreset, SynthesisOptions

BYTES_TOGETHER_ON_CPU = 1 << 18
"""Of one channel: 64 pictures of 32 x 32 in float32, twice as many in bfloat16. Larger batches gain no more."""
BYTES_PER_PIXEL = 4_096
"""Of an accelerator's free memory, generously: a picture of 512 x 512 takes about a gigabyte with guidance."""
LARGEST_BATCH = 128
BFLOAT16_FROM = (8, 0)
"""CUDA compute capability; torch would emulate it on older ones."""


def choose_dtype(options: SynthesisOptions, preset: GeneratorPreset) -> Dtype:
    """The precision asked for, or what the device computes fastest without harm.

    On a CPU that is bfloat16 where the processor multiplies it natively; on CUDA float16 if the preset names weights of
    that kind, else bfloat16 where there is hardware for it. Elsewhere it is float32: diffusers' float16 pictures are
    black on some models. Raises `ParameterError` for float16 on a CPU, which diffusers does not support.
    """
    device = torch.device(choose_device(options.device))
    if options.dtype == "float16" and device.type == "cpu":
        raise ParameterError(
            "synthesis.dtype is float16, which a CPU does not compute with; use auto, bfloat16 or float32."
        )
    if options.dtype != "auto":
        return options.dtype
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= BFLOAT16_FROM
        return "bfloat16" if preset.variant != "fp16" and native else "float16"
    return "bfloat16" if device.type == "cpu" and torch.cpu._is_avx512_bf16_supported() else "float32"


def choose_batch_size(options: SynthesisOptions, preset: GeneratorPreset) -> int:
    """Images made together: as asked, or what a CPU's caches or an accelerator's free memory hold."""
    if options.batch_size is not None:
        return options.batch_size
    device = torch.device(choose_device(options.device))
    pixels = preset.width_px * preset.height_px
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        sharing = 1 if options.engine == "ray" else max(Counter(worker_devices(options)).values())
        return min(LARGEST_BATCH, max(1, free // (BYTES_PER_PIXEL * pixels * sharing)))
    value_bytes = getattr(torch, choose_dtype(options, preset)).itemsize
    return min(LARGEST_BATCH, max(1, BYTES_TOGETHER_ON_CPU // (value_bytes * pixels)))
