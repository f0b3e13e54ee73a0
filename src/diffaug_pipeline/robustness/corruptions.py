"""The corruptions by name, how strong each severity is, and how that depends on the size of what is shown.

The constants are those of ImageNet-C and CIFAR-10-C (Hendrycks and Dietterich 2019; their code), the first made for
objects that fill 224 px, the second for 32 px: what is severe to one is invisible or fatal to the other. Between the
two sizes constants are interpolated geometrically; beyond 224 px those that are lengths grow with the object.

Three rows are ours. The paper's constants of `elastic_transform` mix kinds of movement, so that its severities have no
order; its last ones of `contrast` leave next to nothing to be seen in 8 bits; `zoom_blur` is given by its largest zoom
instead of its steps. Glass blur is left out for want of order, frost for want of photographs of frost.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from diffaug_pipeline.robustness import blur, digital, noise, weather
from diffaug_pipeline.robustness.digital import to_image, to_pixels
from diffaug_pipeline.robustness.options import Corruption

SMALL_PX, LARGE_PX = 32, 224
CONTRASTS = (0.75, 0.5, 0.4, 0.3, 0.2)
SHIFTS = (0.012, 0.018, 0.024, 0.03, 0.036)


@dataclass(frozen=True)
class Level:
    """A positive constant at severities 1 to 5, for objects of `SMALL_PX` and of `LARGE_PX`."""

    small: tuple[float, float, float, float, float]
    large: tuple[float, float, float, float, float]

    def at(self, severity: int, side_px: float) -> float:
        """Its value for objects with a side of `side_px`.

        >>> constant = Level((1, 1, 1, 1, 1), (4, 4, 4, 4, 4))
        >>> [round(float(constant.at(1, side_px)), 1) for side_px in (16, 85, 448)]
        [1.0, 2.0, 4.0]
        """
        share = min(max(math.log(side_px / SMALL_PX) / math.log(LARGE_PX / SMALL_PX), 0), 1)
        return self.small[severity - 1] ** (1 - share) * self.large[severity - 1] ** share


class Length(Level):
    """A constant in pixels."""

    def at(self, severity: int, side_px: float) -> float:
        """Grows with objects beyond `LARGE_PX`.

        >>> Length((1, 1, 1, 1, 1), (4, 4, 4, 4, 4)).at(1, 448)
        8.0
        """
        return super().at(severity, side_px) * max(1.0, side_px / LARGE_PX)


@dataclass(frozen=True)
class _Kind:
    apply: Callable[..., np.ndarray]
    constants: tuple[Level, ...]


def _kind(apply: Callable[..., np.ndarray], *constants: Level) -> _Kind:
    return _Kind(apply, constants)


KINDS: dict[Corruption, _Kind] = {
    "gaussian_noise": _kind(noise.gaussian_noise, Level((0.04, 0.06, 0.08, 0.09, 0.1), (0.08, 0.12, 0.18, 0.26, 0.38))),
    "shot_noise": _kind(noise.shot_noise, Level((500, 250, 100, 75, 50), (60, 25, 12, 5, 3))),
    "impulse_noise": _kind(noise.impulse_noise, Level((0.01, 0.02, 0.03, 0.05, 0.07), (0.03, 0.06, 0.09, 0.17, 0.27))),
    "speckle_noise": _kind(noise.speckle_noise, Level((0.06, 0.1, 0.12, 0.16, 0.2), (0.15, 0.2, 0.35, 0.45, 0.6))),
    "gaussian_blur": _kind(blur.gaussian_blur, Length((0.4, 0.6, 0.7, 0.8, 1), (1, 2, 3, 4, 6))),
    "defocus_blur": _kind(blur.defocus_blur, Length((0.3, 0.4, 0.5, 1, 1.5), (3, 4, 6, 8, 10))),
    "motion_blur": _kind(
        blur.motion_blur, Length((6, 6, 6, 8, 9), (10, 15, 15, 15, 20)), Length((1, 1.5, 2, 2, 2.5), (3, 5, 8, 12, 15))
    ),
    "zoom_blur": _kind(blur.zoom_blur, Level((0.05, 0.1, 0.15, 0.2, 0.25), (0.1, 0.15, 0.2, 0.25, 0.3))),
    "snow": _kind(
        weather.snow,
        Level((0.1, 0.1, 0.15, 0.25, 0.3), (0.1, 0.2, 0.55, 0.55, 0.55)),
        Level((0.2, 0.2, 0.3, 0.3, 0.3), (0.3, 0.3, 0.3, 0.3, 0.3)),
        Length((1, 1, 1.75, 2.25, 1.25), (3, 2, 4, 4.5, 2.5)),
        Level((0.6, 0.5, 0.55, 0.6, 0.65), (0.5, 0.5, 0.9, 0.85, 0.85)),
        Length((8, 10, 10, 12, 14), (10, 12, 12, 12, 12)),
        Length((3, 4, 4, 6, 12), (4, 4, 8, 8, 12)),
        Level((0.95, 0.9, 0.9, 0.85, 0.8), (0.8, 0.7, 0.7, 0.65, 0.55)),
    ),
    "fog": _kind(
        weather.fog,
        Level((0.2, 0.5, 0.75, 1, 1.5), (1.5, 2, 2.5, 2.5, 3)),
        Level((3, 3, 2.5, 2, 1.75), (2, 2, 1.7, 1.5, 1.4)),
    ),
    "brightness": _kind(weather.brightness, Level((0.05, 0.1, 0.15, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4, 0.5))),
    "contrast": _kind(weather.contrast, Level(CONTRASTS, CONTRASTS)),
    "elastic_transform": _kind(digital.elastic_transform, Level(SHIFTS, SHIFTS)),
    "pixelate": _kind(
        digital.pixelate,
        Length((1 / 0.95, 1 / 0.9, 1 / 0.85, 1 / 0.75, 1 / 0.65), (1 / 0.6, 1 / 0.5, 1 / 0.4, 1 / 0.3, 1 / 0.25)),
    ),
    "jpeg_compression": _kind(digital.jpeg_compression, Level((80, 65, 58, 50, 40), (25, 18, 15, 10, 7))),
}


def corrupt(
    image: Image.Image, corruption: Corruption, severity: int, seed: int, object_px: float | None = None
) -> Image.Image:
    """An RGB picture of the same size, the same for the same `seed`; `severity` is 1 to 5.

    `object_px` is the side of the objects shown; by default one fills the picture.
    """
    kind, side_px = KINDS[corruption], object_px or math.sqrt(image.width * image.height)
    constants = [constant.at(severity, side_px) for constant in kind.constants]
    return to_image(kind.apply(to_pixels(image), np.random.default_rng(seed), *constants))
