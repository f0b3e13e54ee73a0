"""Objects cut out of pictures, by the methods of `labelling.options.Matting`."""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
import torch
from PIL import Image
from scipy.ndimage import label as connect
from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor

from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.imaging.compositing import VISIBLE_ALPHA, Cutout, matte_dark_ground
from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.synthesis.models import (
    hush_loading_bars,
    load_whole,
    loading_errors,
    locate_model,
    model_revision,
    model_source,
)

GROUND_THRESHOLD = 8
"""Brightness, of 255, up to which black ground is black."""
GRAB_CUT_ROUNDS = 5
GRAB_CUT_CONTEXT = 0.25
"""Surroundings shown to GrabCut on each side of a box, as a share of the box."""
LEAST_SHOWN, MOST_SHOWN = 0.1, 0.97
"""A cut-out that shows less of its picture than the first, or more than the second, was cut wrongly."""
LEAST_PROBABILITY = 0.3
"""Where the segmentation model is surer of no pixel, the object is not there."""
DUST = 0.05
"""Specks smaller than this share of the largest part of an object do not belong to it."""


def choose_matting(options: LabellingOptions) -> Callable[[Image.Image, str], Cutout | None]:
    """Cuts the object of a class out of a picture that shows nothing else; None where nothing is found."""
    method = options.composition.matting
    if method == "dark_ground":
        return lambda image, label: _cutout(label, image, matte_dark_ground(image, GROUND_THRESHOLD))
    if method == "grab_cut":
        return lambda image, label: cut_with_grab_cut(image, _inner_box(image), label)
    return lambda image, label: _cutout(label, image, _segmenter(options).opacity(image, label))


def matting_revision(options: LabellingOptions) -> str | None:
    """Names the weights that cut out, where a model does."""
    if options.composition.matting != "clip_segmentation":
        return None
    return model_revision(options.composition.matting_model, None)


def cut_with_grab_cut(image: Image.Image, xyxy: np.ndarray, label: str) -> Cutout | None:
    """The object inside the box (4,) of `image`, by GrabCut (Rother et al. 2004); None where it finds hardly any."""
    left, top, right, bottom = _with_context(xyxy, image.size)
    crop = image.crop((left, top, right, bottom))
    inner = np.round(xyxy - [left, top, left, top]).astype(int)
    mask = np.full((crop.height, crop.width), cv2.GC_BGD, np.uint8)
    mask[inner[1] : inner[3], inner[0] : inner[2]] = cv2.GC_PR_FGD
    if (mask == cv2.GC_BGD).any():
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(np.asarray(crop)[..., ::-1].copy(), mask, None, *models, GRAB_CUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    shown = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    return _cutout(label, crop, shown, most_shown=1.0)


def cut_whole_box(image: Image.Image, xyxy: np.ndarray, label: str) -> Cutout:
    """All that the box (4,) of `image` holds, ground included."""
    left, top = np.floor(xyxy[:2]).astype(int).tolist()
    right, bottom = np.ceil(xyxy[2:]).astype(int).tolist()
    pixels = np.asarray(image.crop((left, top, right, bottom)))
    return Cutout(label, pixels, np.ones(pixels.shape[:2], np.float32))


def _cutout(label: str, image: Image.Image, alpha: np.ndarray, most_shown: float = MOST_SHOWN) -> Cutout | None:
    clean = _without_dust(alpha)
    if not LEAST_SHOWN <= (clean >= VISIBLE_ALPHA).mean() <= most_shown:
        return None
    return Cutout(label, np.asarray(image), clean).trimmed()


def _without_dust(alpha: np.ndarray) -> np.ndarray:
    parts, count = connect(alpha >= VISIBLE_ALPHA, np.ones((3, 3)))
    if count < 2:
        return alpha
    sizes = np.bincount(parts.ravel())[1:]
    dust = np.isin(parts, 1 + np.flatnonzero(sizes < DUST * sizes.max()))
    return np.where(dust, 0, alpha).astype(np.float32)


def _with_context(xyxy: np.ndarray, size_px: tuple[int, int]) -> tuple[int, int, int, int]:
    margin = GRAB_CUT_CONTEXT * np.tile(xyxy[2:] - xyxy[:2], 2) * [-1, -1, 1, 1]
    around = (xyxy + margin).clip(0, [*size_px, *size_px])
    left, top = np.floor(around[:2]).astype(int)
    right, bottom = np.ceil(around[2:]).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _inner_box(image: Image.Image) -> np.ndarray:
    """All but a thin frame, which GrabCut needs to learn the ground from."""
    margin = max(1, round(0.04 * min(image.size)))
    return np.array([margin, margin, image.width - margin, image.height - margin], dtype=float)


class _Segmenter:
    """CLIPSeg: the opacity of whatever a sentence names (Lüddecke and Ecker 2022)."""

    def __init__(self, model: str, device: str):
        local = locate_model(model) is not None
        hush_loading_bars()
        self._device = choose_device(device)
        with loading_errors(model):
            self._processor = CLIPSegProcessor.from_pretrained(model_source(model), local_files_only=local)
            self._model = load_whole(CLIPSegForImageSegmentation, model, local_files_only=local).to(self._device)

    @torch.inference_mode()
    def opacity(self, image: Image.Image, class_name: str) -> np.ndarray:
        """(H, W) float32 in [0, 1], stretched so that the surest pixel is opaque; all 0 where none is sure enough."""
        inputs = self._processor(
            text=[f"a photo of a {class_name}"], images=[image], padding=True, return_tensors="pt"
        ).to(self._device)
        probability = self._model(**inputs).logits.sigmoid().reshape(1, 1, *inputs["pixel_values"].shape[-2:])
        resized = torch.nn.functional.interpolate(probability, (image.height, image.width), mode="bilinear")[0, 0]
        surest = resized.max()
        return (resized / surest if surest >= LEAST_PROBABILITY else torch.zeros_like(resized)).cpu().numpy()


@lru_cache(maxsize=1)
def _load_segmenter(model: str, device: str) -> _Segmenter:
    return _Segmenter(model, device)


def _segmenter(options: LabellingOptions) -> _Segmenter:
    return _load_segmenter(options.composition.matting_model, options.device)
