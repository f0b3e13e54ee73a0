"""*Fashion scenes*: garments scattered over textured ground, with exact boxes.

Each garment is scaled, mirrored, turned a little, tinted, and may hide part of another; boxes enclose what stays
visible. The ground is procedural: a blend of two colors by smooth noise, stripes, checks or a gradient.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.compositing import Canvas, Cutout, matte_dark_ground
from diffaug_pipeline.pretraining.options import SceneOptions

PLACES_TRIED = 20
GROUND_THRESHOLD = 6
"""Brightness up to which a border pixel of Fashion-MNIST is ground."""


@dataclass(frozen=True)
class Scene:
    """A picture and where its garments are."""

    image: Image.Image
    boxes: Boxes
    garments: list[int]
    """Which of the garments given each box belongs to."""


def draw_scene(garments: Sequence[tuple[np.ndarray, str]], options: SceneOptions, rng: np.random.Generator) -> Scene:
    """A scene of `garments`, each (28, 28) uint8 pixels and a class name; one that finds no room is left out."""
    canvas, shown = Canvas(draw_ground(options.size_px, rng)), []
    for number, (pixels, name) in enumerate(garments):
        cutout = cut_out(pixels, name)
        height, width = cutout.alpha.shape
        scale = np.exp(rng.uniform(*np.log([options.min_scale, options.max_scale])))
        size = max(4, round(width * scale)), max(4, round(height * scale))
        degrees = rng.uniform(-options.max_degrees, options.max_degrees)
        placed = tinted(cutout, rng).transformed(size, flip=rng.random() < 0.5, degrees=degrees).trimmed()
        if _finds_place(canvas, placed, options, rng):
            shown.append(number)
    return Scene(Image.fromarray(canvas.pixels), canvas.boxes(), shown)


def _finds_place(canvas: Canvas, cutout: Cutout, options: SceneOptions, rng: np.random.Generator) -> bool:
    height, width = cutout.alpha.shape
    for _ in range(PLACES_TRIED):
        left = int(rng.integers(-width // 4, options.size_px - 3 * width // 4 + 1))
        top = int(rng.integers(-height // 4, options.size_px - 3 * height // 4 + 1))
        if canvas.room_for(cutout, left, top, options.min_visible):
            canvas.paste(cutout, left, top)
            return True
    return False


def cut_out(pixels: np.ndarray, name: str) -> Cutout:
    """The garment in (28, 28) uint8 pixels."""
    image = Image.fromarray(pixels)
    alpha = matte_dark_ground(image, GROUND_THRESHOLD)
    return Cutout(name, np.asarray(image.convert("RGB")), alpha).trimmed()


def tinted(cutout: Cutout, rng: np.random.Generator) -> Cutout:
    """Gray made a color: dark parts stay dark, light ones take a random hue of moderate saturation."""
    hue = np.array([np.cos(rng.uniform(0, 2 * np.pi) + shift) for shift in (0, 2.1, 4.2)])
    color = 0.78 + 0.22 * hue * rng.uniform(0, 1)
    gain = rng.uniform(0.75, 1.05)
    pixels = (cutout.pixels * color * gain).clip(0, 255).astype(np.uint8)
    return Cutout(cutout.label, pixels, cutout.alpha)


def draw_ground(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """(S, S, 3) uint8 texture between two random colors."""
    pattern = rng.choice([_smooth_noise, _stripes, _checks, _gradient])(size_px, rng)
    grain = 0.15 * _smooth_noise(size_px, rng)
    blend = (0.85 * pattern + grain)[..., None]
    dark, light = rng.uniform(0, 0.35, 3), rng.uniform(0.15, 0.7, 3)
    return ((1 - blend) * dark * 255 + blend * light * 255).round().astype(np.uint8)


def _smooth_noise(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """(S, S) in [0, 1]: noise of a random coarseness and of half of it."""
    cells = int(rng.integers(2, 9))
    layers = [_enlarge(rng.random((cells * octave, cells * octave)), size_px) / octave for octave in (1, 2)]
    return _stretched(sum(layers))


def _stripes(size_px: int, rng: np.random.Generator) -> np.ndarray:
    angle, period = rng.uniform(0, np.pi), rng.uniform(6, 32)
    rows, columns = np.mgrid[:size_px, :size_px]
    return 0.5 + 0.5 * np.sin(2 * np.pi * (rows * np.sin(angle) + columns * np.cos(angle)) / period)


def _checks(size_px: int, rng: np.random.Generator) -> np.ndarray:
    cells = int(rng.integers(3, 10))
    board = np.indices((cells, cells)).sum(0) % 2
    return np.asarray(Image.fromarray((board * 255).astype(np.uint8)).resize((size_px, size_px), 0)) / 255


def _gradient(size_px: int, rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[:size_px, :size_px]
    return _stretched(rows * np.sin(angle) + columns * np.cos(angle))


def _enlarge(cells: np.ndarray, size_px: int) -> np.ndarray:
    return np.asarray(Image.fromarray(cells.astype(np.float32)).resize((size_px, size_px), Image.Resampling.BICUBIC))


def _stretched(values: np.ndarray) -> np.ndarray:
    return (values - values.min()) / max(1e-6, np.ptp(values))
