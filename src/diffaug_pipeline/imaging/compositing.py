"""Objects cut out of their pictures and pasted into others, with boxes from what stays visible."""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageFilter
from scipy.ndimage import label as connect

from diffaug_pipeline.imaging.boxes import Boxes, extent

VISIBLE_ALPHA = 0.5
"""A pixel shows an object from this opacity on."""


@dataclass(frozen=True, eq=False)
class Cutout:
    """An object without its ground."""

    label: str
    pixels: np.ndarray
    """(H, W, 3) uint8"""
    alpha: np.ndarray
    """(H, W) float32 in [0, 1]"""

    def trimmed(self) -> "Cutout":
        """Without the margins that show nothing; raises ValueError where nothing shows at all."""
        box = extent(self.alpha >= VISIBLE_ALPHA)
        if box is None:
            raise ValueError(f"a cut-out of {self.label!r} shows nothing")
        left, top, right, bottom = box
        return Cutout(self.label, self.pixels[top:bottom, left:right], self.alpha[top:bottom, left:right])

    def transformed(self, size_px: tuple[int, int], flip: bool = False, degrees: float = 0.0) -> "Cutout":
        """Scaled to `size_px` (width, height), mirrored, then turned; a turned one is larger than `size_px`."""
        image = Image.fromarray(self.pixels).resize(size_px, Image.Resampling.BICUBIC)
        alpha = Image.fromarray(_to_bytes(self.alpha)).resize(size_px, Image.Resampling.BICUBIC)
        if flip:
            image, alpha = (layer.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for layer in (image, alpha))
        if degrees:
            image, alpha = (layer.rotate(degrees, Image.Resampling.BICUBIC, expand=True) for layer in (image, alpha))
        return Cutout(self.label, np.asarray(image), np.asarray(alpha, np.float32) / 255)

    def feathered(self, radius_px: float) -> "Cutout":
        """With the edge of its opacity softened by a Gaussian of `radius_px`, not reaching further out than before."""
        if radius_px <= 0:
            return self
        soft = Image.fromarray(_to_bytes(self.alpha)).filter(ImageFilter.GaussianBlur(radius_px))
        return Cutout(self.label, self.pixels, np.minimum(self.alpha, np.asarray(soft, np.float32) / 255))


@dataclass(eq=False)
class Canvas:
    """A picture that objects are pasted onto; it keeps track of what each object still shows."""

    pixels: np.ndarray
    """(H, W, 3) uint8, changed in place"""
    labels: list[str] = field(default_factory=list)
    visible: list[np.ndarray] = field(default_factory=list)
    """(H, W) bool per object"""
    whole: list[int] = field(default_factory=list)
    """Pixels that each object would show alone in an endless picture."""
    ignored: list[bool] = field(default_factory=list)

    @classmethod
    def of(cls, image: Image.Image, boxes: Boxes) -> "Canvas":
        """A picture with the objects it already shows, each taken to fill its box."""
        canvas = cls(np.array(image))
        height, width = canvas.pixels.shape[:2]
        for label, xyxy, ignored in zip(boxes.labels, boxes.xyxy, boxes.ignored, strict=True):
            left, top = np.floor(xyxy[:2]).astype(int)
            right, bottom = np.ceil(xyxy[2:]).astype(int)
            mask = np.zeros((height, width), dtype=bool)
            mask[max(0, top) : bottom, max(0, left) : right] = True
            canvas._add(str(label), mask, int(mask.sum()), bool(ignored))
        return canvas

    def room_for(self, cutout: Cutout, left: int, top: int, min_visible: float) -> bool:
        """Whether pasted there it shows at least `min_visible` of itself, and leaves as much of all others."""
        mask = self._mask(cutout, left, top)
        if mask.sum() < min_visible * (cutout.alpha >= VISIBLE_ALPHA).sum():
            return False
        return all(
            (shown & ~mask).sum() >= min_visible * whole
            for shown, whole in zip(self.visible, self.whole, strict=True)
            if (shown & mask).any()
        )

    def paste(self, cutout: Cutout, left: int, top: int) -> None:
        """Lays `cutout` over the picture with its upper left corner at (`left`, `top`), which may lie outside."""
        region, part = self._overlap(cutout, left, top)
        alpha = cutout.alpha[part][..., None]
        blended = alpha * cutout.pixels[part] + (1 - alpha) * self.pixels[region]
        self.pixels[region] = blended.round().astype(np.uint8)
        mask = self._mask(cutout, left, top)
        self.visible = [shown & ~mask for shown in self.visible]
        self._add(cutout.label, mask, int((cutout.alpha >= VISIBLE_ALPHA).sum()), ignored=False)

    def boxes(self) -> Boxes:
        """The extent of what each object shows; objects that show nothing are left out."""
        records = [
            {"label": label, "xyxy": box, "ignored": ignored}
            for label, shown, ignored in zip(self.labels, self.visible, self.ignored, strict=True)
            if (box := extent(shown)) is not None
        ]
        return Boxes.of(records)

    def _add(self, label: str, mask: np.ndarray, whole: int, ignored: bool) -> None:
        self.labels.append(label)
        self.visible.append(mask)
        self.whole.append(whole)
        self.ignored.append(ignored)

    def _mask(self, cutout: Cutout, left: int, top: int) -> np.ndarray:
        region, part = self._overlap(cutout, left, top)
        mask = np.zeros(self.pixels.shape[:2], dtype=bool)
        mask[region] = cutout.alpha[part] >= VISIBLE_ALPHA
        return mask

    def _overlap(self, cutout: Cutout, left: int, top: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Where `cutout` and the picture meet: slices of the picture, slices of the cut-out."""
        region, part = [], []
        for start, length, limit in zip((top, left), cutout.alpha.shape, self.pixels.shape[:2], strict=True):
            first, last = max(0, start), max(0, min(limit, start + length))
            region.append(slice(first, max(first, last)))
            part.append(slice(first - start, max(first, last) - start))
        return tuple(region), tuple(part)


def _to_bytes(alpha: np.ndarray) -> np.ndarray:
    return (alpha * 255).round().astype(np.uint8)


def matte_dark_ground(image: Image.Image, threshold: int) -> np.ndarray:
    """(H, W) float32 opacity of an object on black ground.

    Ground is what is no brighter than `threshold` (0..255) and connected with the border, so dark parts inside the
    object stay. Opacity at the edge rises with brightness, up to full at twice the threshold.
    """
    brightness = np.asarray(image.convert("L"), np.float32)
    regions, _ = connect(np.pad(brightness <= threshold, 1, constant_values=True))
    is_ground = (regions == regions[0, 0])[1:-1, 1:-1]
    reaches_ground, _ = connect(np.pad(brightness <= 2 * threshold, 1, constant_values=True))
    is_edge = (reaches_ground == reaches_ground[0, 0])[1:-1, 1:-1] & ~is_ground
    opacity = np.where(is_ground, 0.0, 1.0)
    opacity[is_edge] = (brightness[is_edge] / (2 * threshold)).clip(0, 1)
    return opacity.astype(np.float32)
