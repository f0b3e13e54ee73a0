"""Boxes as rows and as pictures."""

import pytest
from factories import annotated_image_set

from diffaug_pipeline.features.crops import Crops, list_boxes
from diffaug_pipeline.imaging.image_set import ImageSet


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ImageSet:
    return annotated_image_set(tmp_path_factory.mktemp("real"))


def test_ignored_boxes_are_not_listed(real):
    table = list_boxes(real)
    counted = sum(len(boxes.counted()) for boxes in real.boxes)
    assert len(table) == counted < sum(map(len, real.boxes))


def test_crops_are_squares_around_the_boxes(real):
    table = list_boxes(real)
    crops = list(Crops(real, table, context=0.0))
    assert len(crops) == len(table)
    for crop, row in zip(crops, table.itertuples(), strict=True):
        left, top, right, bottom = real.boxes_of(row.image_id).xyxy[row.box]
        assert abs(crop.width - max(right - left, bottom - top)) <= 1
        assert abs(crop.width - crop.height) <= 1
