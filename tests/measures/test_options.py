import pytest
from measures.measure_cases import options


def test_a_draw_needs_more_pictures_than_neighbours():
    assert options(min_images=8, nearest_neighbours=3).min_images == 8
    with pytest.raises(ValueError, match=r"a draw of 3 images .* has no 3 nearest neighbours"):
        options(min_images=6, nearest_neighbours=3)
