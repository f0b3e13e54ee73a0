"""The one way a picture enters a model: upright, RGB, fitted to a size, with the affine recorded.

diffusers silently takes RGBA for a latent and stretches a list of mixed sizes to the first one's; nothing that
passes here can meet either.
"""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.options import Fit

BOXES_KEY = "diffaug_boxes"
"""Keyword of the PNG text chunk that holds box records."""


def open_image(source: Path | bytes) -> Image.Image:
    """The picture in a file or in bytes, rotated as EXIF says, RGB; transparency is laid on black.

    Raises what Pillow raises (`OSError`, `SyntaxError`, `ValueError`, `DecompressionBombError`) on damaged input.
    """
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        image.load()
        return to_rgb(ImageOps.exif_transpose(image))


def to_rgb(image: Image.Image) -> Image.Image:
    """RGB in 8 bits from any Pillow mode: 16-bit and float gray are scaled, palettes and alpha resolved.

    >>> to_rgb(Image.new("LA", (2, 2), (255, 0))).getpixel((0, 0))
    (0, 0, 0)
    """
    if image.mode == "RGB":
        return image
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_to_8_bit(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        with_alpha = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (0, 0, 0, 255))
        return Image.alpha_composite(ground, with_alpha).convert("RGB")
    return image.convert("RGB")


def _to_8_bit(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind in "iu":
        full_scale = 255 if values.max(initial=0) <= 255 else 65_535
        return (values.clip(0, full_scale) * (255 / full_scale)).round().astype(np.uint8)
    full_scale = 1.0 if values.max(initial=0) <= 1 else 255.0
    return (np.nan_to_num(values).clip(0, full_scale) * (255 / full_scale)).round().astype(np.uint8)


@dataclass(frozen=True)
class Frame:
    """Where a picture lies in its prepared form: prepared x = `scale[0]` * x + `offset_px[0]`, and likewise y."""

    scale: tuple[float, float]
    offset_px: tuple[float, float]
    original_size_px: tuple[int, int]

    def place(self, xyxy: np.ndarray) -> np.ndarray:
        """(N, 4) boxes of the original picture where they lie in the prepared one."""
        return xyxy * np.tile(self.scale, 2) + np.tile(self.offset_px, 2)

    def place_back(self, xyxy: np.ndarray) -> np.ndarray:
        """(N, 4) boxes of the prepared picture where they lie in the original one."""
        return (xyxy - np.tile(self.offset_px, 2)) / np.tile(self.scale, 2)


@dataclass(frozen=True)
class Fitted(Frame):
    """A picture fitted to a size, and where it lies in that."""

    image: Image.Image

    @property
    def frame(self) -> Frame:
        """Without the pixels."""
        return Frame(self.scale, self.offset_px, self.original_size_px)


def fit_image(image: Image.Image, size_px: tuple[int, int], fit: Fit) -> Fitted:
    """`image` in exactly `size_px` (width, height).

    `cover` fills the frame and cuts what sticks out, `contain` shows everything on black, `stretch` distorts.

    >>> fit_image(Image.new("RGB", (40, 20)), (10, 10), "cover").offset_px
    (-5.0, 0.0)
    """
    width, height = image.size
    if fit == "contain":
        factor = min(size_px[0] / width, size_px[1] / height)
        scaled = max(1, round(width * factor)), max(1, round(height * factor))
        corner = (size_px[0] - scaled[0]) // 2, (size_px[1] - scaled[1]) // 2
        shown = _resized(image, scaled, (0, 0, width, height))
        fitted = shown if scaled == size_px else Image.new("RGB", size_px)
        if scaled != size_px:
            fitted.paste(shown, corner)
        scale = scaled[0] / width, scaled[1] / height
        return Fitted(scale, (float(corner[0]), float(corner[1])), image.size, fitted)
    region = (0.0, 0.0, float(width), float(height))
    if fit == "cover":
        factor = max(size_px[0] / width, size_px[1] / height)
        left, top = max(0.0, (width - size_px[0] / factor) / 2), max(0.0, (height - size_px[1] / factor) / 2)
        region = (left, top, width - left, height - top)
    scale = size_px[0] / (region[2] - region[0]), size_px[1] / (region[3] - region[1])
    offset = 0.0 - region[0] * scale[0], 0.0 - region[1] * scale[1]
    return Fitted(scale, offset, image.size, _resized(image, size_px, region))


def _resized(image: Image.Image, size_px: tuple[int, int], region: tuple[float, float, float, float]) -> Image.Image:
    """`region` (left, top, right, bottom) of `image` in `size_px`; only the region is ever enlarged."""
    if size_px == image.size and region == (0, 0, *image.size):
        return image
    return image.resize(size_px, Image.Resampling.LANCZOS, box=region)


def square_crop(image: Image.Image, xyxy: np.ndarray, context: float) -> Image.Image:
    """The square around the box (4,) of `image`, larger than its longer side by `context` on each side.

    What lies outside the picture is black.
    """
    left, top, right, bottom = xyxy
    half = max(right - left, bottom - top, 1.0) * (0.5 + context)
    x, y = (left + right) / 2, (top + bottom) / 2
    return image.crop((round(x - half), round(y - half), round(x + half), round(y + half)))


def encode_png(image: Image.Image, boxes: Boxes | None = None) -> bytes:
    """The bytes of a PNG file; equal pixels give equal bytes with one version of Pillow and zlib.

    `boxes` travel inside the file, as JSON in a text chunk, so that whoever has the picture has its labels.
    """
    chunks = PngInfo()
    if boxes is not None:
        chunks.add_text(BOXES_KEY, json.dumps(boxes.records()))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=6, pnginfo=chunks)
    return buffer.getvalue()


def boxes_inside(image: Image.Image) -> list[dict[str, Any]] | None:
    """The box records in an opened PNG file; None if it holds none."""
    written = image.info.get(BOXES_KEY)
    return None if written is None else json.loads(written)
