import numpy as np
import pandas as pd
import pytest
from filtering.filter_cases import ask, evidence, filtering_options

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.rules import clip_score


def test_the_score_is_that_of_the_own_class_and_never_negative():
    known = evidence(["cat", "dog"], cosines=[[0.4, 0.1], [0.3, -0.2]])
    judged = ask(clip_score, known, {"clip_score": {"cat": 0.5, "dog": 0.5}}, filtering_options())
    assert judged["clip_score"].tolist() == [1.0, 0.0]
    assert judged["passes"].tolist() == [True, False]


def test_what_scores_as_much_as_needed_passes():
    known = evidence(["cat", "cat"], cosines=[[0.2, 0.0], [0.19, 0.0]])
    judged = ask(clip_score, known, {"clip_score": {"cat": 2.5 * 0.2}}, filtering_options())
    assert judged["passes"].tolist() == [True, False]


def real(count: int) -> tuple[Evidence, pd.Series]:
    """Cats score low and evenly, dogs high and widely."""
    rng = np.random.default_rng(0)
    own = np.concatenate([0.2 + 0.004 * rng.standard_normal(count), 0.36 + 0.02 * rng.standard_normal(count)])
    labels = ["cat"] * count + ["dog"] * count
    is_cat = np.array(labels) == "cat"
    cosines = np.where(np.column_stack([is_cat, ~is_cat]), own[:, None], 0.0)
    return evidence(labels, cosines=cosines), pd.Series(2.5 * own).groupby(np.array(labels))


def test_a_large_class_has_its_own_quantile():
    known, by_class = real(200)
    needed = clip_score.calibrate(known, filtering_options(min_images_per_class=100))["clip_score"]
    assert needed == pytest.approx(by_class.quantile(0.1).to_dict())


def test_small_classes_pool_their_spread_but_keep_their_level():
    known, by_class = real(20)
    thresholds = clip_score.calibrate(known, filtering_options(min_images_per_class=100))
    below = by_class.median() - pd.Series(thresholds["clip_score"])
    assert below["cat"] == pytest.approx(below["dog"])
    judged = ask(clip_score, known, thresholds, filtering_options())
    assert (~judged["passes"]).mean() == pytest.approx(0.1, abs=0.03)
