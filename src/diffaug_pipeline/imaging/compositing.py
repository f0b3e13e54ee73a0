"""Objects cut out of their pictures and pasted into others, with boxes from what stays visible."""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageFilter
from scipy.ndimage import label as connect

from diffaug_pipeline.imaging.boxes import Boxes, clip, extent

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
        part = slice(top, bottom), slice(left, right)
        return Cutout(self.label, self.pixels[part].copy(), self.alpha[part].copy())

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
class _Shown:
    """What one object still shows of itself, in a window of the picture."""

    label: str
    ignored: bool
    left: int
    top: int
    mask: np.ndarray
    """(H, W) bool of the window"""
    whole: int
    """Pixels it would show alone in an endless picture."""
    within: np.ndarray
    """(4,) the box that holds it from the start"""

    def meets(self, other: "_Shown") -> tuple[np.ndarray, np.ndarray] | None:
        """The parts of both masks where their windows overlap; None if they do not."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right = min(self.left + self.mask.shape[1], other.left + other.mask.shape[1])
        bottom = min(self.top + self.mask.shape[0], other.top + other.mask.shape[0])
        if left >= right or top >= bottom:
            return None
        own, others = (
            shown.mask[top - shown.top : bottom - shown.top, left - shown.left : right - shown.left]
            for shown in (self, other)
        )
        return own, others

    def box(self) -> list[float] | None:
        """The extent of what it shows; None if that is nothing."""
        visible = extent(self.mask)
        if visible is None:
            return None
        xyxy = np.add(visible, [self.left, self.top, self.left, self.top]).astype(float)
        return [*np.maximum(xyxy[:2], self.within[:2]).tolist(), *np.minimum(xyxy[2:], self.within[2:]).tolist()]


@dataclass(eq=False)
class Canvas:
    """A picture that objects are pasted onto; it keeps track of what each object still shows."""

    pixels: np.ndarray
    """(H, W, 3) uint8, changed in place"""
    objects: list[_Shown] = field(default_factory=list)

    @classmethod
    def of(cls, image: Image.Image, boxes: Boxes) -> "Canvas":
        """A picture with the objects it already shows, each taken to fill its box."""
        canvas = cls(np.array(image))
        for label, xyxy, ignored in zip(boxes.labels, boxes.xyxy, boxes.ignored, strict=True):
            inside = clip(xyxy[None], image.size)[0]
            left, top = np.floor(inside[:2]).astype(int).tolist()
            right, bottom = np.ceil(inside[2:]).astype(int).tolist()
            mask = np.ones((bottom - top, right - left), dtype=bool)
            canvas.objects.append(_Shown(str(label), bool(ignored), left, top, mask, mask.size, xyxy))
        return canvas

    def room_for(self, cutout: Cutout, left: int, top: int, min_visible: float) -> bool:
        """Whether pasted there it shows at least `min_visible` of itself, and leaves as much of all others."""
        added = self._shown(cutout, left, top)
        if not added.mask.any() or added.mask.sum() < min_visible * added.whole:
            return False
        for shown in self.objects:
            parts = shown.meets(added)
            hidden = 0 if parts is None else int((parts[0] & parts[1]).sum())
            if hidden and shown.mask.sum() - hidden < min_visible * shown.whole:
                return False
        return True

    def paste(self, cutout: Cutout, left: int, top: int) -> None:
        """Lays `cutout` over the picture with its upper left corner at (`left`, `top`), which may lie outside."""
        region, part = self._overlap(cutout, left, top)
        alpha = cutout.alpha[part][..., None]
        blended = alpha * cutout.pixels[part] + (1 - alpha) * self.pixels[region]
        self.pixels[region] = blended.round().astype(np.uint8)
        added = self._shown(cutout, left, top)
        for shown in self.objects:
            if parts := shown.meets(added):
                parts[0][parts[1]] = False
        self.objects.append(added)

    def boxes(self) -> Boxes:
        """The extent of what each object shows; objects that show nothing are left out.

        A real object of which nothing is hidden keeps its box to the fraction of a pixel.
        """
        records = [
            {"label": shown.label, "xyxy": box, "ignored": shown.ignored}
            for shown in self.objects
            if (box := shown.box()) is not None
        ]
        return Boxes.of(records)

    def _shown(self, cutout: Cutout, left: int, top: int) -> _Shown:
        region, part = self._overlap(cutout, left, top)
        opaque = cutout.alpha >= VISIBLE_ALPHA
        height, width = self.pixels.shape[:2]
        everywhere = np.array([0, 0, width, height], dtype=float)
        rows, columns = region
        return _Shown(
            cutout.label, False, columns.start, rows.start, opaque[part].copy(), int(opaque.sum()), everywhere
        )

    def _overlap(self, cutout: Cutout, left: int, top: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Where `cutout` and the picture meet: slices of the picture, slices of the cut-out."""
        region, part = [], []
        for start, length, limit in zip((top, left), cutout.alpha.shape, self.pixels.shape[:2], strict=True):
            first = min(max(0, start), limit)
            last = max(first, min(limit, start + length))
            region.append(slice(first, last))
            part.append(slice(first - start, last - start))
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
