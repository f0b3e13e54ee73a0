import numpy as np
import pytest
from factories import noise_image

from diffaug_pipeline.labelling.blending import blend, weights_around, weights_within


@pytest.mark.parametrize("feather", [0.0, 1.0, 2.5, 7.0])
def test_weights_fall_with_the_distance_to_the_nearest_box(feather):
    boxes = np.array([[3.5, 4.0, 8.0, 9.2], [15, 0, 20, 5], [40, 40, 50, 50]])
    weights = weights_around(boxes, (24, 18), feather)
    inside = np.zeros((18, 24), bool)
    inside[4:10, 3:8] = inside[0:5, 15:20] = True
    assert (weights[inside] == 1).all()
    rows, columns = np.nonzero(inside)
    for row, column in np.ndindex(18, 24):
        distance = np.hypot(rows - row, columns - column).min()
        assert weights[row, column] == pytest.approx(max(0, 1 - distance / (feather + 1)), abs=1e-6)


def test_no_boxes_weigh_nothing():
    assert not weights_around(np.empty((0, 4)), (5, 4), 3).any()


@pytest.mark.parametrize("feather", [0.0, 2.0])
def test_weights_within_rise_from_the_sides_that_are_not_on_the_border(feather):
    weights = weights_within(np.array([0.0, 3.0, 10.0, 12.0]), (16, 12), feather)
    assert not weights[:3].any()
    assert not weights[:, 10:].any()
    np.testing.assert_allclose(weights[11, :10][::-1][:3], [1, 1, 1] if feather == 0 else [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(weights[3:6, 0], [1, 1, 1] if feather == 0 else [1 / 3, 2 / 3, 1])
    assert (weights[6:, :7] == 1).all()


def test_full_weight_keeps_every_bit():
    first, second = noise_image(1), noise_image(2)
    weights = np.zeros((32, 32), np.float32)
    weights[:10], weights[10:20] = 1, 0.5
    mixed = np.asarray(blend(first, second, weights)).astype(int)
    assert (mixed[:10] == np.asarray(first)[:10]).all()
    assert (mixed[20:] == np.asarray(second)[20:]).all()
    mean = (np.asarray(first, float) + np.asarray(second, float)) / 2
    assert np.abs(mixed - mean)[10:20].max() <= 0.5
