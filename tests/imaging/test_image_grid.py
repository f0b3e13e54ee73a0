import numpy as np
import pytest
from factories import noise_image
from PIL import Image

from diffaug_pipeline.imaging.image_grid import SMALLEST_CELL_PX, draw_grid


def squares_of(sheet: Image.Image, color: tuple[int, int, int]) -> int:
    """How many pixels of the sheet have the color."""
    return int((np.asarray(sheet) == color).all(-1).sum())


def test_every_picture_stands_in_its_row_and_column():
    colors = [[(250, 0, 0), (0, 250, 0)], [(0, 0, 250), (250, 250, 0)], [(0, 250, 250), (250, 0, 250)]]
    cells = [[Image.new("RGB", (32, 32), color) for color in row] for row in colors]
    sheet = draw_grid(cells, ["ddim", "pndm", "heun"], ["5 steps", "10 steps"], "three by two")
    centres = {
        color: np.argwhere((np.asarray(sheet) == color).all(-1)).mean(0).round(1).tolist()
        for row in colors
        for color in row
    }
    for row in colors:
        assert centres[row[0]][0] == centres[row[1]][0]
        assert centres[row[0]][1] < centres[row[1]][1]
    for column in range(2):
        assert [centres[row[column]] for row in colors] == sorted(centres[row[column]] for row in colors)
        assert len({centres[row[column]][1] for row in colors}) == 1


def test_small_pictures_are_enlarged_without_new_colors():
    picture = noise_image(0)
    sheet = np.asarray(draw_grid([[picture]], [""], [""], "one"))
    top, left = np.argwhere((sheet == np.asarray(picture)[0, 0]).all(-1))[0]
    shown = sheet[top : top + SMALLEST_CELL_PX, left : left + SMALLEST_CELL_PX]
    np.testing.assert_array_equal(shown, np.asarray(picture).repeat(3, 0).repeat(3, 1))


def test_large_pictures_keep_their_shape():
    sheet = draw_grid([[Image.new("RGB", (800, 400), (250, 0, 0))]], ["wide"], ["picture"], "one")
    rows, columns = np.nonzero((np.asarray(sheet) == (250, 0, 0)).all(-1))
    assert (np.ptp(columns) + 1, np.ptp(rows) + 1) == (192, 96)


def test_missing_pictures_leave_their_place_empty():
    cells = [[None, Image.new("RGB", (40, 40), (250, 0, 0))]]
    sheet = draw_grid(cells, ["bag"], ["a", "b"], "one of two")
    assert squares_of(sheet, (250, 0, 0)) == 80 * 80
    assert squares_of(sheet, (238, 242, 246)) == 96 * 96


def test_long_titles_are_cut_and_widen_nothing_else():
    picture = Image.new("RGB", (32, 32), (250, 0, 0))
    short = draw_grid([[picture]], ["a"], ["b"], "c")
    long = draw_grid([[picture]], ["a"], ["a column title that is far too long for its picture"], "c")
    assert long.size == short.size
    assert squares_of(long, (250, 0, 0)) == 96 * 96
    assert draw_grid([[picture]], ["x" * 500], ["b"], "c").width < short.width + 230


def test_a_caption_wraps_and_titles_may_have_lines():
    picture = Image.new("RGB", (32, 32))
    plain = draw_grid([[picture]], ["a"], ["b"], "c")
    wrapped = draw_grid([[picture]], ["a"], ["b"], "word " * 30)
    assert wrapped.height > plain.height + 40
    assert (np.asarray(wrapped)[:, -8:] == 255).all()
    assert draw_grid([[picture]], ["a"], ["b\nc"], "c").height == plain.height + 17


def test_titles_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="1 rows of pictures have 2 titles"):
        draw_grid([[None]], ["a", "b"], ["c"], "")
    with pytest.raises(ValueError, match="row 1 has 1 pictures for 2 columns"):
        draw_grid([[None, None], [None]], ["a", "b"], ["c", "d"], "")
