import pandas as pd
import pytest
from factories import real_image_set
from features.feature_cases import feature_options, make_features
from filtering.filter_cases import as_synthetic, evidence, no_copies

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.features.features import Features
from diffaug_pipeline.filtering import evidence as module
from diffaug_pipeline.filtering.evidence import evidence_on_images, in_blocks
from diffaug_pipeline.imaging.image_set import ImageSet


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ImageSet:
    return real_image_set(tmp_path_factory.mktemp("real"), {"train": 3})


@pytest.fixture(scope="module")
def features(tmp_path_factory, tiny_clip, real) -> Features:
    return make_features(tmp_path_factory.mktemp("features"), real, real, feature_options(tiny_clip))


def test_tables_are_brought_into_index_order(real, features):
    synthetic = as_synthetic(real)
    copies = no_copies(synthetic).assign(train_distance=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    certain = [[float(number), 1 - number] for number in range(6)]
    predictions = pd.DataFrame({"image_id": synthetic.index["image_id"], "probabilities": certain})
    known = evidence_on_images(synthetic, features, copies[::-1], predictions.sample(frac=1, random_state=0))
    assert known.copies["train_distance"].tolist() == copies["train_distance"].tolist()
    assert known.predictions.tolist() == certain
    assert known.labels.tolist() == synthetic.index["label"].tolist()


def test_an_image_that_was_never_audited_is_not_taken_for_harmless(real, features):
    synthetic = as_synthetic(real)
    with pytest.raises(VersionError, match=r"1 images have not been audited for copies, e\.g\. synthetic:cat/train/0"):
        evidence_on_images(synthetic, features, no_copies(synthetic)[1:], None)


def test_an_image_that_no_reference_has_seen_is_not_taken_for_right(real, features):
    nothing = pd.DataFrame(columns=["image_id", "label", "predicted", "probabilities"])
    with pytest.raises(VersionError, match="6 images have not been shown to references"):
        evidence_on_images(real, features, None, nothing)


def test_blocks_hold_all_images_in_their_order(monkeypatch, real):
    monkeypatch.setattr(module, "BLOCK", 4)
    blocks = list(in_blocks(real))
    assert [len(block) for block in blocks] == [4, 2]
    assert [image_id for block in blocks for image_id in block.index["image_id"]] == real.index["image_id"].tolist()
    assert [len(block) for block in in_blocks(real.where(split="test"))] == [0]


def test_a_label_that_no_class_has_is_an_error():
    with pytest.raises(KeyError, match="eel"):
        evidence(["cat", "eel"]).own_columns  # noqa: B018
