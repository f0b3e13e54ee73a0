import numpy as np
import pytest
from factories import smooth_image
from filtering.filter_cases import ask, evidence, filtering_options, gray_thumbnails
from PIL import Image

from diffaug_pipeline.filtering.rules import blank
from diffaug_pipeline.imaging.thumbnails import thumbnail


def pictures(count: int = 20) -> np.ndarray:
    return np.stack([thumbnail(smooth_image(f"real {number}")) for number in range(count)])


def on_black_ground(count: int = 20) -> np.ndarray:
    """Nine in ten pixels black, as around a product that was cut out."""
    ground = np.zeros((count, 64, 64), np.uint8)
    ground[:, 22:42, 22:42] = pictures(count)[:, 22:42, 22:42].clip(40, 200)
    return ground


def judge(real: np.ndarray, synthetic: np.ndarray, **blank_options: float) -> list[bool]:
    options = filtering_options(blank=blank_options)
    limits = blank.calibrate(evidence(["cat"] * len(real), thumbnails=real), options)
    return ask(blank, evidence(["cat"] * len(synthetic), thumbnails=synthetic), limits, options)["passes"].tolist()


def test_scores_are_those_of_the_pixels():
    half = gray_thumbnails(128)
    half[0, :, 32:] = 255
    scores = ask(blank, evidence(["cat"], thumbnails=half), {"contrast": 0.0, "midtones": 0.0}, filtering_options())
    assert scores["contrast"].iloc[0] == pytest.approx(0.5 * (255 - 128) / 255)
    assert scores["midtones"].iloc[0] == 0.5


def test_black_white_and_near_constant_pictures_fail_and_real_ones_pass():
    nearly = np.asarray(Image.effect_noise((64, 64), 3), np.uint8)[None]
    bad = np.concatenate([gray_thumbnails(0, 128, 255), nearly])
    assert judge(pictures(), bad) == [False] * 4
    assert judge(pictures(), pictures(40)[20:]) == [True] * 20


def test_a_saturated_picture_fails_unless_real_ones_have_as_few_midtones():
    burnt = np.where(pictures() > 127, 255, 0).astype(np.uint8)
    assert judge(pictures(), burnt) == [False] * 20
    assert judge(burnt, burnt) == [True] * 20


def test_objects_on_black_ground_pass_where_real_ones_stand_on_it_and_black_pictures_do_not():
    assert judge(on_black_ground(), on_black_ground(10)) == [True] * 10
    assert judge(on_black_ground(), gray_thumbnails(0)) == [False]
    assert judge(pictures(), on_black_ground(10)) == [False] * 10


def test_no_blank_picture_passes_because_real_ones_are_blank_too():
    assert judge(gray_thumbnails(0, 0, 0), gray_thumbnails(0, 128)) == [False, False]


def test_the_limits_are_a_share_of_what_nearly_all_real_pictures_have():
    real, options = pictures(), filtering_options(blank={"quantile": 0.1, "share": 0.8, "min_contrast": 0.0})
    limits = blank.calibrate(evidence(["cat"] * 20, thumbnails=real), options)
    contrasts = [np.std(picture / 255) for picture in real]
    assert limits["contrast"] == pytest.approx(0.8 * np.quantile(contrasts, 0.1))
