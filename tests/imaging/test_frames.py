import numpy as np
import pytest
from factories import smooth_image
from PIL import Image

from diffaug_pipeline.imaging.frames import covered_part, frame_of, lay_over, place_back, uncovered_parts
from diffaug_pipeline.imaging.preparation import fit_image

SIZES = [(90, 61), (47, 120), (33, 33), (400, 300), (16, 16), (3, 200)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
def test_the_frame_of_a_size_is_that_of_every_picture_of_it(size, fit):
    fitted = fit_image(smooth_image("any", size), (32, 32), fit)
    frame = frame_of(size, (32, 32), fit)
    assert (frame.scale, frame.offset_px, frame.original_size_px) == (fitted.scale, fitted.offset_px, size)


@pytest.mark.parametrize("size", SIZES[:-1])
@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
def test_a_picture_there_and_back_is_where_it_was(size, fit):
    gradient = np.zeros((size[1], size[0], 3), np.uint8)
    gradient[..., 0] = np.linspace(0, 255, size[0])
    gradient[..., 1] = np.linspace(0, 255, size[1])[:, None]
    fitted = fit_image(Image.fromarray(gradient), (64, 64), fit)
    back = np.asarray(lay_over(Image.new("RGB", size, "blue"), fitted.image, fitted)).astype(int)
    left, top, right, bottom = covered_part(fitted)
    apart = np.abs(back - gradient)[top:bottom, left:right, :2]
    assert apart.mean() < 3  # a shift by one pixel of a 33 px picture would be 8
    rest = np.full(size[::-1], True)
    rest[top:bottom, left:right] = False
    assert (back[rest] == (0, 0, 255)).all()


@pytest.mark.parametrize("size", SIZES)
def test_covered_and_uncovered_parts_make_the_whole(size):
    fitted = frame_of(size, (32, 32), "cover")
    shown = np.zeros(size[::-1], int)
    left, top, right, bottom = covered_part(fitted)
    shown[top:bottom, left:right] += 1
    for left, top, right, bottom in uncovered_parts(fitted).astype(int):
        shown[top:bottom, left:right] += 1
    assert (shown == 1).all()


@pytest.mark.parametrize("fit", ["contain", "stretch"])
def test_only_cover_leaves_something_out(fit):
    assert len(uncovered_parts(frame_of((90, 61), (32, 32), fit))) == 0
    assert covered_part(frame_of((90, 61), (32, 32), fit)) == (0, 0, 90, 61)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
def test_a_picture_placed_back_has_the_size_of_its_source_and_none_of_the_padding(size, fit):
    fitted = fit_image(Image.new("RGB", size, "teal"), (32, 32), fit)
    white = Image.new("RGB", (32, 32), "white")
    white.paste("black", (0, 0), fitted.image.convert("L").point(lambda light: 255 * (light == 0)))
    back = np.array(place_back(Image.new("RGB", size, "teal"), white, fit))
    assert back.shape[:2] == size[::-1]
    left, top, right, bottom = covered_part(fitted)
    assert (back[top:bottom, left:right] == 255).all()
    back[top:bottom, left:right] = (0, 128, 128)
    assert (back == (0, 128, 128)).all()


def test_a_line_too_thin_for_any_whole_pixel_stays_as_it_is():
    real = smooth_image("line", (1, 200))
    fitted = fit_image(real, (32, 32), "cover")
    assert lay_over(real, smooth_image("new"), fitted).tobytes() == real.tobytes()
