"""Scenes of garments: boxes are compared with what the pictures show."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import binary_opening

from diffaug_pipeline.imaging.boxes import areas, extent, ious
from diffaug_pipeline.pretraining.options import SceneOptions
from diffaug_pipeline.pretraining.scenes import Scene, draw_ground, draw_scene

CHANGE = 8
"""Levels of brightness by which pasting a garment changes a pixel at least."""


def options(**changes) -> SceneOptions:
    values = {
        "size_px": 96,
        "min_garments": 2,
        "max_garments": 5,
        "min_scale": 0.7,
        "max_scale": 1.6,
        "max_degrees": 12.0,
        "min_visible": 0.5,
    }
    return SceneOptions(**values | changes)


def garments(count: int) -> list[tuple[np.ndarray, str]]:
    """Bright blocks, 16 wide and 20 high, on black."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 6:22] = 230
    return [(pixels, f"garment {number}") for number in range(count)]


def draw(count: int, seed: int, **changes) -> Scene:
    return draw_scene(garments(count), options(**changes), np.random.default_rng(seed))


def pasted_pixels(count: int, seed: int, **changes) -> list[np.ndarray]:
    """(H, W) bool per garment: what its pasting changes, seen by drawing the scene with one garment more each time."""
    pictures = [np.asarray(draw(shown, seed, **changes).image, int) for shown in range(count + 1)]
    return [np.abs(after - before).max(2) > CHANGE for before, after in pairwise(pictures)]


@pytest.mark.parametrize("seed", range(3))
def test_the_ground_does_not_depend_on_what_lies_on_it(seed):
    bare = draw(0, seed)
    assert len(bare.boxes) == 0
    np.testing.assert_array_equal(bare.image, draw_ground(96, np.random.default_rng(seed)))
    assert np.asarray(bare.image).std() > 1


@pytest.mark.parametrize("seed", range(20))
def test_boxes_enclose_what_stays_visible(seed):
    scene, pasted = draw(5, seed), pasted_pixels(5, seed)
    assert [f"garment {number}" for number in scene.garments] == scene.boxes.labels.tolist()
    assert [number for number, pixels in enumerate(pasted) if pixels.any()] == scene.garments
    for number, box in zip(scene.garments, scene.boxes.xyxy, strict=True):
        hidden = np.any([*pasted[number + 1 :], np.zeros((96, 96), bool)], axis=0)
        visible = binary_opening(pasted[number] & ~hidden, np.ones((2, 2)))
        np.testing.assert_allclose(box, extent(visible), atol=2)


@pytest.mark.parametrize("min_visible", [0.4, 0.8])
def test_every_garment_shows_as_much_as_is_asked(min_visible):
    shares = []
    for seed in range(20):
        pasted = pasted_pixels(5, seed, min_visible=min_visible)
        for number, pixels in enumerate(pasted):
            if pixels.any():
                hidden = np.any([*pasted[number + 1 :], np.zeros((96, 96), bool)], axis=0)
                shares.append((pixels & ~hidden).sum() / pixels.sum())
    assert min(shares) > min_visible - 0.08
    assert min(shares) < 1 - (1 - min_visible) / 2


def test_garments_that_must_show_entirely_lie_apart_and_inside():
    counts = []
    for seed in range(20):
        scene = draw(5, seed, min_visible=1.0, max_degrees=0.0)
        xyxy = scene.boxes.xyxy
        assert (ious(xyxy, xyxy)[~np.eye(len(xyxy), dtype=bool)] == 0).all()
        widths, heights = (xyxy[:, 2:] - xyxy[:, :2]).T
        np.testing.assert_allclose(heights / widths, 20 / 16, atol=0.15)
        assert (heights >= 0.7 * 20 - 1).all()
        assert (heights <= 1.6 * 20 + 1).all()
        counts.append(len(xyxy))
    assert min(counts) >= 2


def test_boxes_lie_in_the_picture_and_have_an_area():
    for seed in range(20):
        scene = draw(5, seed)
        assert scene.image.size == (96, 96)
        assert (scene.boxes.xyxy >= 0).all()
        assert (scene.boxes.xyxy <= 96).all()
        assert (areas(scene.boxes.xyxy) > 20).all()
        assert not scene.boxes.ignored.any()


def test_the_same_seed_draws_the_same_scene():
    first, second, other = draw(4, 3), draw(4, 3), draw(4, 4)
    assert first.image.tobytes() == second.image.tobytes() != other.image.tobytes()
    assert first.boxes.records() == second.boxes.records() != other.boxes.records()


def test_scenes_differ_in_ground_color_and_pattern():
    grounds = np.stack([np.asarray(draw(0, seed).image, float) for seed in range(30)])
    assert grounds.mean((1, 2)).std(0).min() > 10
    assert grounds.std((1, 2)).max() > 4 * grounds.std((1, 2)).min()
