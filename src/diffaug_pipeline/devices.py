"""Which device heavy work runs on."""

import torch


def choose_device(asked: str) -> str:
    """`asked`, or for `auto` the best device there is."""
    if asked != "auto":
        return asked
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
