"""Where a picture lies in a model's frame, and the way back."""

import math
from functools import lru_cache

import numpy as np
from PIL import Image

from diffaug_pipeline.imaging.boxes import clip
from diffaug_pipeline.imaging.options import Fit
from diffaug_pipeline.imaging.preparation import Fitted, fit_image

FRAMES_KEPT = 64
ROUNDING_PX = 1e-6


@lru_cache(maxsize=FRAMES_KEPT)
def frame_of(size_px: tuple[int, int], shown_px: tuple[int, int], fit: Fit) -> Fitted:
    """How any picture of `size_px` (width, height) is fitted to `shown_px`; its pixels are blank."""
    return fit_image(Image.new("L", size_px), shown_px, fit)


def covered_part(fitted: Fitted) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the original's pixels that lie in the frame whole; empty if none does.

    >>> covered_part(frame_of((40, 20), (10, 10), "cover"))
    (10, 0, 30, 20)
    """
    frame = np.array([[0, 0, *fitted.image.size]], dtype=np.float64)
    left, top, right, bottom = clip(fitted.place_back(frame), fitted.original_size_px)[0]
    return (
        math.ceil(left - ROUNDING_PX),
        math.ceil(top - ROUNDING_PX),
        math.floor(right + ROUNDING_PX),
        math.floor(bottom + ROUNDING_PX),
    )


def uncovered_parts(fitted: Fitted) -> np.ndarray:
    """(K, 4) boxes of the original that the frame cuts off.

    >>> uncovered_parts(frame_of((40, 20), (10, 10), "cover")).tolist()
    [[0.0, 0.0, 10.0, 20.0], [30.0, 0.0, 40.0, 20.0]]
    """
    width, height = fitted.original_size_px
    left, top, right, bottom = covered_part(fitted)
    sides = np.array(
        [(0, 0, left, height), (right, 0, width, height), (0, 0, width, top), (0, bottom, width, height)], dtype=float
    )
    return sides[(sides[:, :2] < sides[:, 2:]).all(1)]


def place_back(source: Image.Image, picture: Image.Image, fit: Fit) -> Image.Image:
    """`picture`, made from `source` as `fit_image` fitted it to a model, at the size and in the place of `source`.

    What `contain` padded is cut away, what `stretch` distorted is undone, and what `cover` left out stays as it is in
    the source.

    >>> place_back(Image.new("L", (40, 20)), Image.new("L", (10, 10), 255), "cover").getbbox()
    (10, 0, 30, 20)
    """
    return lay_over(source, picture, frame_of(source.size, picture.size, fit))


def lay_over(real: Image.Image, picture: Image.Image, fitted: Fitted) -> Image.Image:
    """`picture`, of the frame's size, in the frame of `real`, which shows where the model's frame cut it off."""
    left, top, right, bottom = covered_part(fitted)
    result = real.copy()
    if left < right and top < bottom:
        seen = clip(fitted.place(np.array([[left, top, right, bottom]], dtype=float)), picture.size)[0]
        whole = np.concatenate([np.floor(seen[:2] + ROUNDING_PX), np.ceil(seen[2:] - ROUNDING_PX)])
        # resize also looks at what lies around its box, which may be padding.
        shown = picture.crop(tuple(whole.astype(int).tolist()))
        box = clip((seen - np.tile(whole[:2], 2))[None], shown.size)[0]
        # Unlike Image.transform, it averages where it reduces.
        piece = shown.resize((right - left, bottom - top), Image.Resampling.LANCZOS, box=tuple(box.tolist()))
        result.paste(piece, (left, top))
    return result
