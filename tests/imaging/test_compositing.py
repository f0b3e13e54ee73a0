"""Cut-outs pasted onto pictures, and boxes from what stays visible."""

import numpy as np
import pytest
from factories import smooth_image
from PIL import Image

from diffaug_pipeline.imaging.boxes import Boxes, extent
from diffaug_pipeline.imaging.compositing import Canvas, Cutout, matte_dark_ground


def disc(size_px: int = 20, level: int = 200, label: str = "disc") -> Cutout:
    rows, columns = np.mgrid[:size_px, :size_px] - (size_px - 1) / 2
    inside = rows**2 + columns**2 <= (size_px / 2) ** 2
    return Cutout(label, np.full((size_px, size_px, 3), level, np.uint8), inside.astype(np.float32))


def block(width: int, height: int, label: str = "block") -> Cutout:
    return Cutout(label, np.full((height, width, 3), 250, np.uint8), np.ones((height, width), np.float32))


def empty_canvas(side: int = 60) -> Canvas:
    return Canvas(np.zeros((side, side, 3), np.uint8))


def test_a_box_encloses_what_the_paste_changed():
    canvas = Canvas.of(smooth_image("ground", (90, 70)), Boxes.of([]))
    before = canvas.pixels.copy()
    canvas.paste(disc(), 31, 17)
    assert canvas.boxes().xyxy.tolist() == [list(extent((canvas.pixels != before).any(2)))]


def test_what_lies_outside_the_picture_does_not_count():
    canvas = empty_canvas()
    canvas.paste(block(20, 10), -5, 55)
    assert canvas.boxes().xyxy.tolist() == [[0, 55, 15, 60]]


def test_an_object_behind_another_keeps_the_box_of_what_it_shows():
    canvas = empty_canvas()
    canvas.paste(block(20, 10, "behind"), 10, 10)
    canvas.paste(block(12, 30, "before"), 18, 5)
    assert dict(zip(canvas.boxes().labels, canvas.boxes().xyxy.tolist(), strict=True)) == {
        "behind": [10, 10, 18, 20],
        "before": [18, 5, 30, 35],
    }


def test_an_object_hidden_whole_has_no_box():
    canvas = empty_canvas()
    canvas.paste(block(5, 5, "behind"), 10, 10)
    canvas.paste(block(20, 20, "before"), 5, 5)
    assert canvas.boxes().labels.tolist() == ["before"]


@pytest.mark.parametrize(("left", "fits"), [(11, False), (15, True), (40, True)])
def test_room_is_where_enough_of_everything_stays_visible(left, fits):
    canvas = empty_canvas()
    canvas.paste(block(10, 10), 10, 10)
    assert canvas.room_for(block(10, 10), left, 10, min_visible=0.5) is fits


def test_there_is_no_room_mostly_outside():
    assert not empty_canvas().room_for(block(10, 10), 56, 10, min_visible=0.5)


def test_real_boxes_of_the_background_stay_where_they_are():
    real = Boxes.of(
        [
            {"label": "cat", "xyxy": [5.4, 6.6, 25.2, 30.9], "ignored": False},
            {"label": "crowd", "xyxy": [30.0, 30.0, 50.0, 50.0], "ignored": True},
        ]
    )
    canvas = Canvas.of(Image.new("RGB", (60, 60)), real)
    canvas.paste(block(4, 4), 52, 2)
    assert canvas.boxes().records()[:2] == real.records()


def test_a_real_box_shrinks_to_what_is_left_of_it():
    canvas = Canvas.of(
        Image.new("RGB", (60, 60)), Boxes.of([{"label": "cat", "xyxy": [5.4, 6.6, 25.2, 30.9], "ignored": False}])
    )
    canvas.paste(block(10, 40), 0, 0)
    assert canvas.boxes().xyxy[0].tolist() == [10, 6.6, 25.2, 30.9]


def test_what_would_show_nothing_finds_no_room():
    faint = Cutout("ghost", np.full((9, 9, 3), 200, np.uint8), np.full((9, 9), 0.3, np.float32))
    assert not empty_canvas().room_for(faint, 10, 10, min_visible=0.5)


def test_an_alpha_of_half_mixes_the_colors():
    canvas = empty_canvas()
    half = Cutout("ghost", np.full((4, 4, 3), 100, np.uint8), np.full((4, 4), 0.5, np.float32))
    canvas.paste(half, 0, 0)
    assert canvas.pixels[0, 0].tolist() == [50, 50, 50]


def test_feathering_softens_inwards_only():
    hard = disc()
    soft = hard.feathered(1.5)
    assert (soft.alpha <= hard.alpha).all()
    assert 0 < soft.alpha[1, 10] < 1
    assert hard.feathered(0) is hard


def test_a_cutout_follows_size_mirror_and_turn():
    left_half = np.zeros((10, 10), np.float32)
    left_half[:, :5] = 1
    cutout = Cutout("half", np.full((10, 10, 3), 200, np.uint8), left_half)
    flipped = cutout.transformed((20, 30), flip=True)
    assert flipped.alpha.shape == (30, 20)
    assert extent(flipped.alpha >= 0.5) == (10, 0, 20, 30)
    turned = cutout.transformed((10, 10), degrees=90).trimmed()
    assert turned.alpha.shape == (5, 10)


def test_nothing_visible_cannot_be_trimmed():
    with pytest.raises(ValueError, match="a cut-out of 'ghost' shows nothing"):
        Cutout("ghost", np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32)).trimmed()


def test_dark_parts_inside_an_object_are_not_ground():
    pixels = np.zeros((20, 20), np.uint8)
    pixels[4:16, 4:16] = 180
    pixels[8:12, 8:12] = 0
    alpha = matte_dark_ground(Image.fromarray(pixels).convert("RGB"), threshold=8)
    assert alpha[10, 10] == 1
    assert alpha[0, 0] == 0
    assert extent(alpha >= 0.5) == (4, 4, 16, 16)
