import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from diffaug_pipeline.imaging.boxes import areas, clip, extent, ious
from diffaug_pipeline.imaging.preparation import fit_image

sides_px = st.integers(1, 400)
sizes_px = st.tuples(sides_px, sides_px)
fits = st.sampled_from(["cover", "contain", "stretch"])
places = st.integers(-50_000, 50_000).map(lambda hundredths: hundredths / 100)
boxes = st.lists(st.tuples(places, places, places, places), max_size=6).map(
    lambda rows: np.array([[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d in rows]).reshape(-1, 4)
)


@given(boxes, sizes_px, sizes_px, fits)
def test_boxes_come_back_from_the_prepared_picture_where_they_were(xyxy, original, prepared, fit):
    fitted = fit_image(Image.new("RGB", original), prepared, fit)
    assert fitted.image.size == prepared
    assert fitted.original_size_px == original
    np.testing.assert_allclose(fitted.place_back(fitted.place(xyxy)), xyxy, atol=1e-6)


@given(st.data(), st.tuples(st.integers(16, 120), st.integers(16, 120)), fits)
def test_boxes_are_placed_within_half_a_pixel_of_where_the_pixels_go(data, original, fit):
    """A white rectangle on black is looked for in the prepared picture."""
    prepared = data.draw(st.tuples(*(st.integers(side // 2, 2 * side) for side in original)))
    left, top = (data.draw(st.integers(0, side - 8)) for side in original)
    box = (
        left,
        top,
        left + data.draw(st.integers(8, original[0] - left)),
        top + data.draw(st.integers(8, original[1] - top)),
    )
    picture = Image.new("RGB", original)
    ImageDraw.Draw(picture).rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill="white")
    fitted = fit_image(picture, prepared, fit)
    expected = clip(fitted.place(np.array([box], dtype=float)), prepared)[0]
    seen = extent(np.asarray(fitted.image)[:, :, 0] >= 128)
    if min(expected[2:] - expected[:2]) >= 2:
        np.testing.assert_allclose(seen, expected, atol=0.55)  # ringing of the resampling filter


@given(boxes, boxes)
def test_iou_is_symmetric_and_one_for_a_box_with_itself_alone(first, second):
    shared = ious(first, second)
    np.testing.assert_array_equal(shared, ious(second, first).T)
    assert ((shared >= 0) & (shared <= 1)).all()
    with_area = first[areas(first) > 0]
    np.testing.assert_allclose(np.diag(ious(with_area, with_area)), 1)


@given(boxes, boxes, st.floats(0.1, 10), places)
def test_iou_does_not_change_when_both_are_moved_and_scaled(first, second, factor, shift):
    before = ious(first, second)
    np.testing.assert_allclose(ious(first * factor + shift, second * factor + shift), before, atol=1e-6)


@given(boxes, sizes_px)
def test_clipping_keeps_what_is_inside_and_is_done_after_one_time(xyxy, size):
    cut = clip(xyxy, size)
    assert ((cut >= 0) & (cut <= [*size, *size])).all()
    np.testing.assert_array_equal(clip(cut, size), cut)
    inside = ((xyxy >= 0) & (xyxy <= [*size, *size])).all(1)
    np.testing.assert_array_equal(cut[inside], xyxy[inside])
    assert (areas(cut) <= areas(xyxy)).all()


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_the_extent_of_a_filled_box_is_the_box(width, height, data):
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right, bottom = data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height))
    mask = np.zeros((height, width), bool)
    mask[top:bottom, left:right] = True
    assert extent(mask) == (left, top, right, bottom)
