"""Source pictures pass the autoencoder's encoder once, however many pictures are made from them."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

MAX_REMEMBERED = 2_000
"""Up to a gigabyte for pictures of 512 x 512, with the mean and spread of each."""


class RememberedEncodings:
    """In the place of `autoencoder.encode`: what a picture was encoded to before is not computed again.

    diffusers' pipelines encode one picture at a time where every picture has its own generator, and sample from the
    distribution returned, so results are the same to the bit. The least recently used encodings make room for new ones.
    """

    def __init__(self, encode: Callable[..., Any], most: int = MAX_REMEMBERED):
        self._encode, self._most = encode, most
        self._known: OrderedDict[bytes, Any] = OrderedDict()

    def __call__(self, pixels: Tensor, *args: Any, **kwargs: Any) -> Any:
        """See `encode` of the autoencoder; `pixels` (N, 3, H, W)."""
        key = _content(pixels)
        if key not in self._known:
            self._known[key] = self._encode(pixels, *args, **kwargs)
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]


def remember_encodings(autoencoder: nn.Module) -> None:
    """Makes `autoencoder.encode` remember."""
    autoencoder.encode = RememberedEncodings(autoencoder.encode)


def _content(pixels: Tensor) -> bytes:
    kind = f"{pixels.dtype} {tuple(pixels.shape)} {pixels.device}".encode()
    raw = pixels.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()
    return hashlib.blake2b(kind + raw, digest_size=16).digest()
