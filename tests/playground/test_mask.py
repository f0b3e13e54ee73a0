import numpy as np
import pytest
from PIL import Image

from diffaug_pipeline.playground.mask import join_layers, mask_boxes


def covered(boxes: list[list[float]], size: tuple[int, int]) -> np.ndarray:
    inside = np.zeros((size[1], size[0]), bool)
    for left, top, right, bottom in np.array(boxes, int).reshape(-1, 4):
        inside[top:bottom, left:right] = True
    return inside


def test_boxes_cover_what_is_drawn_and_nothing_else():
    drawn = np.random.default_rng(0).random((13, 17)) < 0.4
    boxes = mask_boxes(Image.fromarray(np.where(drawn, 255, 0).astype(np.uint8)), (17, 13), "cover")
    assert (covered(boxes, (17, 13)) == drawn).all()
    assert len(boxes) < drawn.sum()


@pytest.mark.parametrize(
    ("fit", "expected"),
    [("stretch", [5, 0, 10, 10]), ("cover", [5, 0, 10, 10]), ("contain", [5, 2, 10, 7])],
)
def test_masks_lie_where_the_source_lies_in_the_frame(fit, expected):
    mask = Image.new("L", (40, 20))
    mask.paste(255, (20, 0, 40, 20))
    rows = covered(mask_boxes(mask, (10, 10), fit), (10, 10)).nonzero()
    assert [rows[1].min(), rows[0].min(), rows[1].max() + 1, rows[0].max() + 1] == expected


def test_nothing_drawn_is_no_box():
    assert mask_boxes(Image.new("L", (5, 4)), (8, 8), "contain") == []


def test_layers_are_joined_at_the_size_of_the_source():
    left, right = (Image.new("RGBA", (8, 4)) for _ in range(2))
    left.paste((255, 255, 255, 255), (0, 0, 2, 4))
    right.paste((0, 0, 0, 128), (6, 0, 8, 4))
    mask = np.asarray(join_layers([left, right], (4, 2)))
    assert mask.tolist() == [[255, 0, 0, 128]] * 2
    assert join_layers([], (4, 2)).getbbox() is None
