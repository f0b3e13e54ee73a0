"""Which device heavy work runs on."""

import torch

from diffaug_pipeline.errors import ParameterError


def choose_device(asked: str) -> str:
    """`asked`, or for `auto` the best device there is; raises `ParameterError` for a CUDA device that is not there."""
    if asked.startswith("cuda"):
        number = torch.device(asked).index or 0
        if number >= torch.cuda.device_count():
            raise ParameterError(
                f"device is {asked}, but torch finds {torch.cuda.device_count()} CUDA devices; use auto or cpu, or "
                "install a PyTorch that fits the driver."
            )
    if asked != "auto":
        return asked
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
