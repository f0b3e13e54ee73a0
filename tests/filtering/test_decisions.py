import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from diffaug_pipeline.filtering.decisions import Thresholds, calibrate, decide, score_images
from diffaug_pipeline.filtering.options import FilteringOptions

OPTIONS = FilteringOptions(
    clip_model="embedded:clip",
    clip_revision=None,
    templates=["a photo of a {class_name}"],
    batch_size=8,
    device="cpu",
    min_images_per_class=100,
    clip_score={"enabled": True, "quantile": 0.1},
    zero_shot={"enabled": True, "quantile": 0.1},
)

NEEDED = Thresholds(clip_score={"cat": 0.5}, zero_shot_margin={"cat": 0.2})


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
    """Cats score low and evenly, dogs high and widely; nine in ten are taken for what they are."""
    rng = np.random.default_rng(0)
    return pd.concat(
        pd.DataFrame(
            {
                "label": label,
                "clip_score": level + spread * rng.standard_normal(count),
                "zero_shot_class": np.where(np.arange(count) % 10 == 0, "bird", label),
                "zero_shot_margin": np.where(np.arange(count) % 10 == 0, -0.5, least + rng.random(count) / 2),
            }
        )
        for label, level, spread, least in (("cat", 0.5, 0.01, 0.1), ("dog", 0.9, 0.05, 0.4))
    )


def test_a_large_class_has_its_own_quantiles():
    scores = real_scores(2_000)
    thresholds = calibrate(scores, OPTIONS)
    for label, of_class in scores.groupby("label"):
        assert thresholds.clip_score[label] == pytest.approx(of_class["clip_score"].quantile(0.1))
        right = of_class[of_class["zero_shot_class"] == label]
        assert thresholds.zero_shot_margin[label] == pytest.approx(right["zero_shot_margin"].quantile(0.1))


def test_small_classes_pool_their_spread_but_keep_their_level():
    scores = real_scores(20)
    thresholds = calibrate(scores, OPTIONS)
    medians = scores.groupby("label")["clip_score"].median()
    below = {label: medians[label] - thresholds.clip_score[label] for label in ("cat", "dog")}
    assert below["cat"] == pytest.approx(below["dog"])
    rejected = scores["clip_score"] < scores["label"].map(thresholds.clip_score)
    assert rejected.mean() == pytest.approx(0.1, abs=0.03)


def test_small_classes_share_one_margin_set_by_the_images_that_are_recognised():
    scores = real_scores(20)
    thresholds = calibrate(scores, OPTIONS)
    right = scores[scores["zero_shot_class"] == scores["label"]]
    expected = right["zero_shot_margin"].quantile(0.1)
    assert expected > 0
    assert thresholds.zero_shot_margin == {"cat": pytest.approx(expected), "dog": pytest.approx(expected)}


def test_a_scorer_that_recognises_nothing_asks_for_no_margin():
    scores = real_scores(20).assign(zero_shot_class="bird")
    assert set(calibrate(scores, OPTIONS).zero_shot_margin.values()) == {0.0}


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
    decided = decide(scores, NEEDED, OPTIONS).iloc[0]
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
    assert decide(scores, NEEDED, off)["accepted"].all()


@pytest.mark.parametrize("template", ["a photo of a garment", "a photo of a {name}", "a {tone} {class_name}"])
def test_a_template_that_does_not_name_the_class_alone_is_refused(template):
    with pytest.raises(ValidationError, match=r"must contain \{class_name\} and no other"):
        FilteringOptions(**OPTIONS.model_dump() | {"templates": [template]})
