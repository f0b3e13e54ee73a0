"""What a pipeline is told to draw, and how closely: prompts as embeddings, each sentence encoded once, and guidance."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from diffusers import DiffusionPipeline
from torch import Tensor

from diffaug_pipeline.synthesis.families import family_of, takes
from diffaug_pipeline.synthesis.remembered import Remembered

MAX_CACHED_BYTES = 1 << 29
"""Four thousand sentences of Stable Diffusion 1, a hundred and more of the largest text encoders."""

COUNT_FROM_ZERO = ("krea2", "z-image")
"""Families whose `guidance_scale` is the w of Ho & Salimans (2022, equation 6), one less than everywhere else."""

Embeddings = dict[str, Tensor | list[Tensor]]
"""Of one sentence, by the argument that takes them."""


class Conditioning:
    """Prompts and guidance as a pipeline's arguments; results are those of passing the text itself.

    Sentences are encoded one by one, so that embeddings do not depend on the batch, and remembered. A family whose
    encoder is not known here is given the text.
    """

    def __init__(self, device: str, max_bytes: int = MAX_CACHED_BYTES):
        self._device = device
        self._known: Remembered[Embeddings] = Remembered(max_bytes, _bytes)

    def arguments(
        self, pipeline: DiffusionPipeline, prompts: Sequence[str], negative_prompt: str, guidance_scale: float
    ) -> dict[str, Any]:
        """For one call that draws a picture of each prompt; 1 turns guidance off, and then nothing is negative."""
        guidance = guidance_arguments(pipeline, guidance_scale)
        guided = guidance_scale > 1 and not _is_told_the_scale(pipeline)
        encode = ENCODERS.get(family_of(type(pipeline).__name__))
        if encode is None:
            return guidance | _as_text(pipeline, prompts, negative_prompt if guided else None)
        known = {sentence: self._embed(pipeline, encode, sentence) for sentence in dict.fromkeys(prompts)}
        arguments = guidance | _batch([known[prompt] for prompt in prompts])
        if guided:
            negative = self._embed(pipeline, encode, negative_prompt)
            if not negative_prompt and pipeline.config.get("force_zeros_for_empty_prompt"):  # SDXL's trained "nothing"
                negative = {name: torch.zeros_like(embedding) for name, embedding in negative.items()}
            batch = _batch([negative] * len(prompts))
            arguments |= {f"negative_{name}": embeddings for name, embeddings in batch.items()}
        return arguments

    def _embed(self, pipeline: DiffusionPipeline, encode: Callable[..., Embeddings], sentence: str) -> Embeddings:
        return self._known.get(sentence, lambda: encode(pipeline, sentence, self._device))


def guidance_arguments(pipeline: DiffusionPipeline, guidance_scale: float) -> dict[str, float]:
    """Classifier-free guidance in the pipeline's own terms; 1 is none.

    Models distilled from a guided one are told the scale instead: there is no second, negative prediction.
    """
    if takes(pipeline, "true_cfg_scale") and not _is_told_the_scale(pipeline):
        return {"true_cfg_scale": guidance_scale}
    if family_of(type(pipeline).__name__) in COUNT_FROM_ZERO:
        return {"guidance_scale": guidance_scale - 1}
    return {"guidance_scale": guidance_scale} if takes(pipeline, "guidance_scale") else {}


def _is_told_the_scale(pipeline: DiffusionPipeline) -> bool:
    transformer = getattr(pipeline, "transformer", None)
    return transformer is not None and bool(transformer.config.get("guidance_embeds"))


def _as_text(pipeline: DiffusionPipeline, prompts: Sequence[str], negative_prompt: str | None) -> dict[str, Any]:
    text: dict[str, Any] = {"prompt": list(prompts)}
    if negative_prompt is not None and takes(pipeline, "negative_prompt"):
        text["negative_prompt"] = [negative_prompt] * len(prompts)
    return text


def _batch(embeddings: list[Embeddings]) -> Embeddings:
    return {name: _join([one[name] for one in embeddings]) for name in embeddings[0]}


def _join(parts: list[Tensor] | list[list[Tensor]]) -> Tensor | list[Tensor]:
    return torch.cat(parts) if isinstance(parts[0], Tensor) else [tensor for part in parts for tensor in part]


def _bytes(embeddings: Embeddings) -> int:
    return sum(
        tensor.nbytes for value in embeddings.values() for tensor in ([value] if isinstance(value, Tensor) else value)
    )


def _encode_one_tower(pipeline: DiffusionPipeline, sentence: str, device: str) -> Embeddings:
    embeddings, _ = pipeline.encode_prompt(sentence, device, 1, do_classifier_free_guidance=False)
    return {"prompt_embeds": embeddings}


def _encode_two_towers(pipeline: DiffusionPipeline, sentence: str, device: str) -> Embeddings:
    embeddings, _, pooled, _ = pipeline.encode_prompt(sentence, device=device, do_classifier_free_guidance=False)
    return {"prompt_embeds": embeddings, "pooled_prompt_embeds": pooled}


def _encode_three_towers(pipeline: DiffusionPipeline, sentence: str, device: str) -> Embeddings:
    embeddings, _, pooled, _ = pipeline.encode_prompt(
        sentence, None, None, device=device, do_classifier_free_guidance=False
    )
    return {"prompt_embeds": embeddings, "pooled_prompt_embeds": pooled}


def _encode_flux(pipeline: DiffusionPipeline, sentence: str, device: str) -> Embeddings:
    embeddings, pooled, _ = pipeline.encode_prompt(sentence, device=device)
    return {"prompt_embeds": embeddings, "pooled_prompt_embeds": pooled}


def _encode_z_image(pipeline: DiffusionPipeline, sentence: str, device: str) -> Embeddings:
    embeddings, _ = pipeline.encode_prompt(sentence, device=device, do_classifier_free_guidance=False)
    return {"prompt_embeds": embeddings}  # a list: as many tokens as each sentence has


ENCODERS: dict[str | None, Callable[..., Embeddings]] = {
    "stable-diffusion": _encode_one_tower,
    "stable-diffusion-xl": _encode_two_towers,
    "stable-diffusion-3": _encode_three_towers,
    "flux": _encode_flux,
    "z-image": _encode_z_image,
}
"""By family. None of them has a token limit that depends on the batch."""
