import numpy as np
import pandas as pd
import pytest
from factories import noise_image, smooth_image
from filtering.filter_cases import evidence, filtering_options, gray_thumbnails
from PIL import Image

from diffaug_pipeline.filtering.rules import near_duplicates
from diffaug_pipeline.filtering.rules.near_duplicates import BLOCK, describe, distances, score_set
from diffaug_pipeline.imaging.thumbnails import thumbnail

LIMIT = {"near_duplicate_distance": 0.1}


def judge_set(descriptors: np.ndarray, scores: np.ndarray, standing: np.ndarray, thresholds: dict) -> tuple:
    """Distances, and who passes by what is stored of them."""
    apart = score_set(descriptors, scores, standing, thresholds)
    stored = pd.DataFrame({"near_duplicate_distance": apart})
    return apart, near_duplicates.passes(stored, thresholds).to_numpy()


def thumbnails(*pictures: Image.Image) -> np.ndarray:
    return np.stack([thumbnail(picture) for picture in pictures])


def slow_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Between two thumbnails, cell by cell, with Pillow."""
    reduced = [np.asarray(Image.fromarray(picture).reduce(4), float) for picture in (first, second)]
    cells = [(row, column) for row in range(0, 16, 4) for column in range(0, 16, 4)]
    difference = reduced[0] - reduced[1]
    return max(np.sqrt((difference[r : r + 4, c : c + 4] ** 2).mean()) for r, c in cells) / 255


def test_the_distance_is_that_of_the_cells_that_differ_most():
    pictures = thumbnails(*(smooth_image(name) for name in "abc"), noise_image(0, (64, 64)))
    fast = distances(describe(pictures), describe(pictures))
    slow = [[slow_distance(first, second) for second in pictures] for first in pictures]
    np.testing.assert_allclose(fast, slow, atol=0.003)
    assert np.diag(fast).tolist() == [0.0] * 4


def test_the_same_background_with_another_object_is_another_picture():
    ground = smooth_image("ground", (96, 96))
    with_object, resized = ground.copy(), ground.resize((48, 48)).resize((96, 96))
    with_object.paste(noise_image(1, (22, 22)), (30, 40))
    base, other, same = describe(thumbnails(ground, with_object, resized))[:, None]
    assert distances(base, other)[0, 0] > 5 * distances(base, same)[0, 0]


def test_the_best_of_each_group_stays():
    pictures = gray_thumbnails(10, 200, 12, 205, 100)
    scores = np.array([0.3, 0.9, 0.8, 0.1, 0.5])
    apart, passes = judge_set(describe(pictures), scores, np.ones(5, bool), LIMIT)
    assert passes.tolist() == [False, True, True, False, True]
    expected = np.array([2, np.nan, 188, 5, 88]) / 255
    np.testing.assert_allclose(apart, expected, rtol=1e-5)


def test_of_equally_good_ones_the_first_stays():
    _, passes = judge_set(describe(gray_thumbnails(10, 10, 10)), np.zeros(3), np.ones(3, bool), LIMIT)
    assert passes.tolist() == [True, False, False]


def test_likeness_is_not_handed_on():
    """The second is put out by the first, so it cannot put out the third."""
    pictures = gray_thumbnails(10, 30, 50)
    _, passes = judge_set(describe(pictures), np.array([0.9, 0.8, 0.7]), np.ones(3, bool), LIMIT)
    assert passes.tolist() == [True, False, True]


def test_what_another_rule_rejects_puts_out_nobody_and_is_judged_all_the_same():
    pictures = gray_thumbnails(10, 12, 200)
    standing = np.array([False, True, True])
    apart, passes = judge_set(describe(pictures), np.array([0.9, 0.5, 0.4]), standing, LIMIT)
    assert passes.tolist() == [False, True, True]
    assert apart[0] == pytest.approx(2 / 255)


def test_equal_pictures_are_duplicates_whatever_the_limit():
    _, passes = judge_set(
        describe(gray_thumbnails(7, 7)), np.array([0.1, 0.2]), np.ones(2, bool), {"near_duplicate_distance": 0.0}
    )
    assert passes.tolist() == [False, True]


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    base = rng.integers(0, 256, (30, 16, 16))
    pictures = (base[rng.integers(0, 30, 150)] + rng.integers(0, 12, (150, 16, 16))).clip(0, 255).astype(np.uint8)
    scores, standing = rng.random(150).round(1), rng.random(150) < 0.8
    assert BLOCK > 150
    whole = judge_set(pictures, scores, standing, {"near_duplicate_distance": 0.05})
    monkeypatch.setattr(near_duplicates, "BLOCK", 7)
    by_block = judge_set(pictures, scores, standing, {"near_duplicate_distance": 0.05})
    for one, other in zip(whole, by_block, strict=True):
        np.testing.assert_array_equal(one, other)
    assert 0 < whole[1].sum() < 60
    kept = pictures[whole[1] & standing]
    apart = distances(kept, kept)
    assert apart[np.triu_indices(len(kept), 1)].min() > 0.05


def test_the_limit_is_a_share_of_how_far_real_pictures_of_other_content_keep_apart(monkeypatch):
    monkeypatch.setattr(near_duplicates, "BLOCK", 2)
    real = evidence(["cat"] * 5, thumbnails=gray_thumbnails(0, 10, 10, 50, 100))
    nearest = np.array([10, 10, 10, 40, 50]) / 255
    for quantile, share in ((0.0, 1.0), (0.5, 1.0), (0.9, 0.5)):
        options = filtering_options(near_duplicates={"quantile": quantile, "share": share})
        expected = share * np.quantile(nearest, quantile)
        assert near_duplicates.calibrate(real, options) == {"near_duplicate_distance": pytest.approx(expected)}


def test_one_real_picture_says_nothing_about_distances():
    lonely = evidence(["cat"], thumbnails=gray_thumbnails(3))
    assert near_duplicates.calibrate(lonely, filtering_options()) == {"near_duplicate_distance": 0.0}
