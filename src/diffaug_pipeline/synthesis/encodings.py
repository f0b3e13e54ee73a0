"""Source pictures pass the autoencoder's encoder once, however many pictures are made from them."""

import hashlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from diffaug_pipeline.synthesis.remembered import Remembered

MAX_BYTES = 1 << 29
"""On the device of the autoencoder; a picture of 512 x 512 takes 0.2 to 0.5 MB, with the mean and spread of each."""


class RememberedEncodings:
    """In the place of `autoencoder.encode`: what a picture was encoded to before is not computed again.

    diffusers' pipelines encode one picture at a time where every picture has its own generator, and sample from the
    distribution returned, so results are the same to the bit.
    """

    def __init__(self, encode: Callable[..., Any], max_bytes: int = MAX_BYTES):
        self._encode = encode
        self._known: Remembered[Any] = Remembered(max_bytes, _size_bytes)

    def __call__(self, pixels: Tensor, *args: Any, **kwargs: Any) -> Any:
        """See `encode` of the autoencoder; `pixels` (N, 3, H, W)."""
        return self._known.get(_content(pixels), lambda: self._encode(pixels, *args, **kwargs))


def remember_encodings(autoencoder: nn.Module) -> None:
    """Makes `autoencoder.encode` remember."""
    autoencoder.encode = RememberedEncodings(autoencoder.encode)


def _content(pixels: Tensor) -> bytes:
    kind = f"{pixels.dtype} {tuple(pixels.shape)} {pixels.device}".encode()
    raw = pixels.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()
    return hashlib.blake2b(kind + raw, digest_size=16).digest()


def _size_bytes(encoded: Any) -> int:
    tensors = vars(getattr(encoded, "latent_dist", encoded)).values()
    return sum(tensor.nbytes for tensor in tensors if isinstance(tensor, Tensor))
