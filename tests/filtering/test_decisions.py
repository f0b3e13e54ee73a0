import numpy as np
import pandas as pd
import pytest

from diffaug_pipeline.filtering.decisions import clip_score_thresholds, decide, score_images
from diffaug_pipeline.filtering.options import ClipScoreRule, FilteringOptions

OPTIONS = FilteringOptions(
    clip_model="embedded:clip",
    clip_revision=None,
    templates=["a photo of a {class_name}"],
    batch_size=8,
    device="cpu",
    clip_score={"enabled": True, "quantile": 0.1, "min_images_per_class": 100},
    zero_shot={"enabled": True, "min_margin": 0.2},
)


def test_scores_of_known_cosines_and_probabilities():
    index = pd.DataFrame({"image_id": ["a", "b"], "label": ["cat", "dog"]})
    cosines = np.array([[0.4, 0.1], [0.3, -0.2]])
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3]])
    scores = score_images(index, cosines, probabilities, ["cat", "dog"])
    assert scores["clip_score"].tolist() == [1.0, 0.0]
    assert scores["zero_shot_class"].tolist() == ["cat", "cat"]
    assert scores["zero_shot_probability"].tolist() == [0.9, 0.3]
    np.testing.assert_allclose(scores["zero_shot_margin"], [0.8, -0.4])


def real_scores(count: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.concat(
        pd.DataFrame({"label": label, "clip_score": level + spread * rng.standard_normal(count)})
        for label, level, spread in (("cat", 0.5, 0.01), ("dog", 0.9, 0.05))
    )


def test_a_large_class_has_its_own_quantile():
    scores = real_scores(2_000)
    thresholds = clip_score_thresholds(scores, ClipScoreRule(enabled=True, quantile=0.1, min_images_per_class=100))
    for label, of_class in scores.groupby("label"):
        assert thresholds[label] == pytest.approx(of_class["clip_score"].quantile(0.1))


def test_small_classes_pool_their_spread_but_keep_their_level():
    scores = real_scores(20)
    rule = ClipScoreRule(enabled=True, quantile=0.1, min_images_per_class=100)
    thresholds = clip_score_thresholds(scores, rule)
    medians = scores.groupby("label")["clip_score"].median()
    assert medians["cat"] - thresholds["cat"] == pytest.approx(medians["dog"] - thresholds["dog"])
    rejected = scores["clip_score"] < scores["label"].map(thresholds)
    assert rejected.mean() == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize(
    ("clip_score", "seen_as", "margin", "accepted", "reason"),
    [
        (0.6, "cat", 0.5, True, None),
        (0.4, "cat", 0.5, False, "clip_score"),
        (0.6, "dog", -0.5, False, "zero_shot"),
        (0.6, "cat", 0.1, False, "zero_shot"),
        (0.4, "dog", -0.5, False, "clip_score"),
    ],
)
def test_the_first_failed_rule_is_the_reason(clip_score, seen_as, margin, accepted, reason):
    scores = pd.DataFrame(
        {"label": ["cat"], "clip_score": [clip_score], "zero_shot_class": [seen_as], "zero_shot_margin": [margin]}
    )
    decided = decide(scores, {"cat": 0.5}, OPTIONS).iloc[0]
    assert bool(decided["accepted"]) is accepted
    assert decided["reason"] == reason or (reason is None and decided["reason"] is None)


def test_a_disabled_rule_rejects_nothing_and_still_scores():
    off = OPTIONS.model_copy(
        update={
            rule: getattr(OPTIONS, rule).model_copy(update={"enabled": False}) for rule in ("clip_score", "zero_shot")
        }
    )
    scores = pd.DataFrame(
        {"label": ["cat"], "clip_score": [0.0], "zero_shot_class": ["dog"], "zero_shot_margin": [-1.0]}
    )
    assert decide(scores, {"cat": 0.5}, off)["accepted"].all()
