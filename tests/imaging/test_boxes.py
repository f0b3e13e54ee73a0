"""Geometry of boxes."""

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from diffaug_pipeline.imaging.boxes import Boxes, areas, clip, extent, intersections, ious


def random_boxes(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 100, (count, 2))
    return np.concatenate([corners, corners + rng.uniform(0, 40, (count, 2))], axis=1)


def test_overlap_agrees_with_torchvision():
    first, second = random_boxes(30, 0), random_boxes(40, 1)
    expected = box_iou(torch.from_numpy(first), torch.from_numpy(second)).numpy()
    np.testing.assert_allclose(ious(first, second), expected, atol=1e-12)
    assert intersections(first, second).shape == (30, 40)


def test_boxes_without_area_overlap_nothing():
    points = np.array([[5.0, 5.0, 5.0, 5.0]])
    assert ious(points, points).tolist() == [[0.0]]
    assert areas(np.array([[4.0, 4.0, 2.0, 8.0]])).tolist() == [0.0]


def test_no_boxes_keep_their_shape():
    nothing = Boxes.of([])
    assert nothing.xyxy.shape == (0, 4)
    assert len(nothing + nothing) == 0
    assert ious(nothing.xyxy, random_boxes(3, 0)).shape == (0, 3)


def test_records_come_back_as_they_went_in():
    records = [
        {"label": "bag", "xyxy": [1.0, 2.0, 3.5, 4.25], "ignored": False},
        {"label": "coat", "xyxy": [0.0, 0.0, 9.0, 9.0], "ignored": True},
    ]
    boxes = Boxes.of(records)
    assert boxes.records() == records
    assert boxes.counted().labels.tolist() == ["bag"]


def test_clipping_keeps_boxes_inside():
    clipped = clip(np.array([[-5.0, -1.0, 50.0, 70.0]]), (40, 60))
    assert clipped.tolist() == [[0.0, 0.0, 40.0, 60.0]]


@pytest.mark.parametrize("place", [(0, 0), (3, 7), (9, 4)])
def test_the_extent_of_one_pixel_is_that_pixel(place):
    mask = np.zeros((10, 12), bool)
    mask[place] = True
    row, column = place
    assert extent(mask) == (column, row, column + 1, row + 1)


def test_nothing_has_no_extent():
    assert extent(np.zeros((4, 4), bool)) is None
