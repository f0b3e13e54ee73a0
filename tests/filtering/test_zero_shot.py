"""The scorer as a classifier, read off the features."""

import numpy as np
import pytest
from factories import real_image_set
from features.feature_cases import TEMPLATES, feature_options, make_features

from diffaug_pipeline.features.encoder import ClipScorer
from diffaug_pipeline.filtering import zero_shot
from diffaug_pipeline.imaging.image_set import ImageSet


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ImageSet:
    return real_image_set(tmp_path_factory.mktemp("real"), {"train": 2, "test": 6})


def test_test_images_are_given_the_nearest_class(tmp_path, tiny_clip, real):
    predictions = zero_shot.predict(real, make_features(tmp_path / "f", real, real, feature_options(tiny_clip)))
    test = real.where(split="test")
    assert predictions["image_id"].tolist() == test.index["image_id"].tolist()
    assert predictions["label"].tolist() == test.index["label"].tolist()
    clip = ClipScorer(str(tiny_clip), None, "cpu")
    cosines = clip.embed_images(test, 5, "test") @ clip.embed_classes(["cat", "dog"], TEMPLATES).T
    assert predictions["predicted"].tolist() == [["cat", "dog"][best] for best in cosines.argmax(1)]
    np.testing.assert_allclose([chances.sum() for chances in predictions["probabilities"]], 1, rtol=1e-6)


def test_a_scorer_that_never_saw_the_classes_is_not_asked(tmp_path, real):
    features = make_features(tmp_path / "f", real, real, feature_options("embedded:clip"))
    predictions = zero_shot.predict(real, features)
    assert predictions.empty
    assert list(predictions) == ["seed", "image_id", "label", "predicted", "probabilities"]
