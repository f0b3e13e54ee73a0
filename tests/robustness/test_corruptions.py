from typing import get_args

import numpy as np
import pytest
from factories import smooth_image
from PIL import Image

from diffaug_pipeline.robustness.corruptions import KINDS, corrupt
from diffaug_pipeline.robustness.options import BoxKeepingCorruption

SEEDS = range(8)


def pictures(size_px: tuple[int, int]) -> list[Image.Image]:
    """Soft blots, of which blur takes little, behind a bright square with sharp edges."""
    made = [smooth_image(f"corruption {seed}", size_px) for seed in SEEDS]
    for seed, picture in enumerate(made):
        left, top = np.random.default_rng(seed).integers(0, min(size_px) // 2, 2).tolist()
        picture.paste("white", (left, top, left + size_px[0] // 3, top + size_px[1] // 3))
    return made


def distance(first: Image.Image, second: Image.Image) -> float:
    """Root mean square, in gray levels."""
    return float(np.sqrt(((np.asarray(first, float) - np.asarray(second, float)) ** 2).mean()))


def mean_distance(corruption: str, severity: int, originals: list[Image.Image]) -> float:
    return float(
        np.mean([distance(image, corrupt(image, corruption, severity, seed)) for seed, image in enumerate(originals)])
    )


@pytest.mark.parametrize("corruption", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (5, 40), (300, 200)])
def test_a_picture_keeps_its_size_and_mode(corruption, size):
    made = corrupt(smooth_image("any", size), corruption, 5, seed=0)
    assert made.size == size
    assert made.mode == "RGB"


@pytest.mark.parametrize("corruption", KINDS)
@pytest.mark.parametrize("size", [(32, 32), (96, 96)])
def test_severities_are_ordered_and_every_one_changes_the_picture(corruption, size):
    originals = pictures(size)
    distances = [mean_distance(corruption, severity, originals) for severity in (1, 3, 5)]
    assert distances[0] > 0.5
    assert distances[1] > 1.05 * distances[0]
    assert distances[2] > 1.05 * distances[1]
    for severity in (2, 4):  # two of the paper's are as strong as the one before
        assert mean_distance(corruption, severity, originals) > 0.95 * distances[severity // 2 - 1]


@pytest.mark.parametrize("corruption", KINDS)
def test_the_seed_decides_all_that_is_random(corruption):
    image = smooth_image("one", (48, 48))
    first, again, other = (corrupt(image, corruption, 3, seed) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    fixed = {"gaussian_blur", "defocus_blur", "zoom_blur", "brightness", "contrast", "pixelate", "jpeg_compression"}
    assert (first.tobytes() == other.tobytes()) == (corruption in fixed)


@pytest.mark.parametrize("corruption", get_args(BoxKeepingCorruption))
def test_objects_stay_in_their_boxes(corruption):
    """The light of a white square on black has its centre where it had it, but for what weather adds to the ground."""
    image = Image.new("RGB", (64, 64), (60, 60, 60))
    image.paste("white", (20, 30, 32, 42))
    for seed in SEEDS:
        pixels = np.asarray(corrupt(image, corruption, 5, seed, object_px=32), float).mean(2)
        if corruption in {"snow", "fog"}:
            assert pixels[32:40, 22:30].mean() > pixels.mean()
            continue
        weights = (pixels - np.median(pixels)).clip(20) - 20
        rows, columns = np.nonzero(weights)
        near = (abs(rows - 35.5) < 12) & (abs(columns - 25.5) < 12)
        centre = [np.average(place[near], weights=weights[rows, columns][near]) for place in (columns, rows)]
        np.testing.assert_allclose(centre, [25.5, 35.5], atol=1.0)


def test_lengths_grow_with_the_object_and_levels_do_not():
    blur, noise = KINDS["gaussian_blur"].constants[0], KINDS["gaussian_noise"].constants[0]
    assert [blur.at(5, side) for side in (16, 32, 224, 448)] == pytest.approx([1, 1, 6, 12])
    assert [noise.at(1, side) for side in (16, 32, 224, 448)] == pytest.approx([0.04, 0.04, 0.08, 0.08])
    assert blur.at(5, 85) == pytest.approx(np.sqrt(6), rel=0.01)  # half way, as 85 is from 32 to 224


def test_a_small_object_in_a_large_picture_is_spared():
    image = pictures((224, 224))[0]
    small, whole = (corrupt(image, "defocus_blur", 5, 0, object_px=side) for side in (32, None))
    assert distance(image, small) < distance(image, whole)


def test_constants_are_complete():
    for kind in KINDS.values():
        for constant in kind.constants:
            assert len(constant.small) == len(constant.large) == 5
            assert min(*constant.small, *constant.large) > 0
    assert len(KINDS) >= 12
