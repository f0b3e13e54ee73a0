import numpy as np
import pytest
from auditing.audit_cases import COPIES, cropped
from factories import noise_image, smooth_image
from PIL import Image

from diffaug_pipeline.auditing.alignment import aligned_distance
from diffaug_pipeline.imaging.thumbnails import thumbnail

PICTURE = smooth_image("original", (120, 90))
ORIGINAL = thumbnail(PICTURE)


def flat(level: int) -> np.ndarray:
    return np.full((64, 64), level, np.uint8)


@pytest.mark.parametrize("kind", [kind for kind in COPIES if kind != "mirrored"])
def test_a_copy_is_near_its_original(kind):
    assert aligned_distance(thumbnail(COPIES[kind](PICTURE)), ORIGINAL) < 0.002


def test_other_pictures_are_far():
    others = [thumbnail(smooth_image(f"other {number}", (120, 90))) for number in range(20)]
    assert min(aligned_distance(other, ORIGINAL) for other in others) > 0.1


def test_distance_grows_with_what_differs():
    distances = []
    for share in (0.0, 0.05, 0.2, 0.5):
        blend = Image.blend(PICTURE, smooth_image("other", PICTURE.size), share)
        distances.append(aligned_distance(thumbnail(blend), ORIGINAL))
    assert distances == sorted(distances)
    assert distances[0] < 1e-6
    assert distances[-1] > 0.02


def test_brightness_and_contrast_do_not_matter():
    pale = (0.5 * ORIGINAL + 90).astype(np.uint8)
    assert aligned_distance(pale, ORIGINAL) < 0.001


def test_the_negative_is_as_far_as_can_be():
    assert aligned_distance(255 - ORIGINAL, ORIGINAL) == 1.0


def test_a_crop_is_found_wherever_it_was_cut():
    for number in range(12):
        sides = np.random.default_rng(number).uniform(0, 0.05, 4)
        assert aligned_distance(thumbnail(cropped(PICTURE, *sides)), ORIGINAL) < 0.001


def test_a_part_too_small_for_a_copy_is_not_looked_for():
    assert aligned_distance(thumbnail(cropped(PICTURE, 0.3, 0.3, 0.0, 0.0)), ORIGINAL) > 0.1


@pytest.mark.parametrize(("first", "second", "distance"), [(0, 0, 0.0), (0, 255, 1.0), (100, 151, 0.2)])
def test_pictures_without_details_differ_by_brightness(first, second, distance):
    assert aligned_distance(flat(first), flat(second)) == pytest.approx(distance)


def test_a_blank_picture_is_no_copy_of_one_that_shows_something():
    assert aligned_distance(flat(0), ORIGINAL) == 1.0
    assert aligned_distance(ORIGINAL, flat(0)) == 1.0


def test_distances_stay_within_bounds_whatever_comes():
    strange = [thumbnail(noise_image(number)) for number in range(6)] + [flat(7), np.eye(64, dtype=np.uint8) * 255]
    distances = [aligned_distance(first, second) for first in strange for second in strange]
    assert all(0 <= distance <= 1 for distance in distances)
