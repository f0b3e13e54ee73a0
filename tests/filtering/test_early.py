"""Which pictures pass before there is anything but them."""

import numpy as np
import pandas as pd
import pytest
from factories import noise_image, real_image_set
from features.feature_cases import feature_options, make_features
from filtering.filter_cases import as_synthetic, audit, filtering_options, no_copies, overrides
from PIL import Image

from diffaug_pipeline.filtering import early
from diffaug_pipeline.filtering.early import EARLY_RULES, EarlyJudge
from diffaug_pipeline.filtering.images import filter_images
from diffaug_pipeline.imaging.image_set import ImageSet


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ImageSet:
    return real_image_set(tmp_path_factory.mktemp("real"), {"train": 10, "val": 9})


def test_it_says_what_the_filter_will_say(tmp_path, tiny_clip, real):
    made, options = as_synthetic(real.where(split="val")), filtering_options(clip_score={"quantile": 0.4})
    features = make_features(tmp_path / "features", real, made, feature_options(tiny_clip))
    decisions, _ = filter_images(made, real, features, audit(no_copies(made)), pd.DataFrame(), overrides(), options)
    later = decisions[[f"{rule}_passes" for rule in EARLY_RULES]].all(axis=1)
    judge = EarlyJudge(real, feature_options(tiny_clip), options)
    assert 0 < later.sum() < len(made)
    labels = made.index["label"].tolist()
    assert judge(made, labels).tolist() == later.tolist()
    assert judge(list(made)[:5], labels[:5]).tolist() == later.tolist()[:5]


def test_rules_that_are_not_listed_and_those_about_more_than_the_picture_are_not_asked(tiny_clip, real):
    pictures, labels = [Image.new("RGB", (32, 32)), *map(noise_image, range(5))], ["cat"] * 6
    for rules, passes in ((["blank"], [False] + [True] * 5), ([], [True] * 6), (["leakage", "task_model"], [True] * 6)):
        judge = EarlyJudge(real, feature_options(tiny_clip), filtering_options(rules=rules))
        assert judge(pictures, labels).tolist() == passes


def test_a_scorer_never_taught_the_classes_leaves_it_to_the_other_rules(real):
    strict = filtering_options(clip_score={"quantile": 0.99}, zero_shot={"quantile": 0.99})
    judge = EarlyJudge(real, feature_options("embedded:clip"), strict)
    pictures = [Image.new("RGB", (32, 32)), *map(noise_image, range(5))]
    assert judge(pictures, ["cat"] * 6).tolist() == [False] + [True] * 5


def test_the_scorer_is_loaded_once_and_only_for_pictures(monkeypatch, tiny_clip, real):
    loaded, load = [], early.ClipScorer
    monkeypatch.setattr(early, "ClipScorer", lambda *where: loaded.append(where) or load(*where))
    judge = EarlyJudge(real, feature_options(tiny_clip), filtering_options())
    assert loaded == []
    first, second = judge([noise_image(1)], ["cat"]), judge([noise_image(1)], ["cat"])
    assert len(loaded) == 1
    np.testing.assert_array_equal(first, second)
