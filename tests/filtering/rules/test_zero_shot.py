import numpy as np
import pytest
from filtering.filter_cases import ask, evidence, filtering_options

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.rules import zero_shot

NEEDED = {"zero_shot_margin": {"cat": 0.2, "dog": 0.2}}


def test_scores_of_known_probabilities():
    known = evidence(["cat", "dog"], probabilities=[[0.9, 0.1], [0.7, 0.3]])
    judged = ask(zero_shot, known, NEEDED, filtering_options())
    assert judged["zero_shot_class"].tolist() == ["cat", "cat"]
    assert judged["zero_shot_probability"].tolist() == [0.9, 0.3]
    np.testing.assert_allclose(judged["zero_shot_margin"], [0.8, -0.4])


@pytest.mark.parametrize(("of_cat", "passes"), [(0.9, True), (0.59, False), (0.3, False)])
def test_an_image_has_to_be_taken_for_its_class_with_the_margin_needed(of_cat, passes):
    known = evidence(["cat"], probabilities=[[of_cat, 1 - of_cat]])
    assert ask(zero_shot, known, NEEDED, filtering_options())["passes"].tolist() == [passes]


def real(count: int) -> Evidence:
    """Nine in ten are taken for what they are, cats with less margin than dogs."""
    margins = np.concatenate([np.linspace(0.1, 0.6, count), np.linspace(0.4, 0.9, count)])
    labels = ["cat"] * count + ["dog"] * count
    margins[::10] = -0.5
    own, other = (1 + margins) / 2, (1 - margins) / 2
    is_cat = np.array(labels) == "cat"
    return evidence(labels, probabilities=np.where(is_cat[:, None], np.c_[own, other], np.c_[other, own]))


def right_margins(known: Evidence) -> dict[str, np.ndarray]:
    """Of those taken for their own class."""
    of_cat, labels = known.probabilities[:, 0], known.labels
    margins = np.where(labels == "cat", 2 * of_cat - 1, 1 - 2 * of_cat)
    return {label: margins[(labels == label) & (margins > 0)] for label in ("cat", "dog")}


def test_a_large_class_has_its_own_quantile():
    known = real(200)
    needed = zero_shot.calibrate(known, filtering_options(min_images_per_class=100))["zero_shot_margin"]
    assert needed == pytest.approx({label: np.quantile(own, 0.1) for label, own in right_margins(known).items()})


def test_small_classes_share_one_margin_set_by_the_images_that_are_recognised():
    known = real(20)
    needed = zero_shot.calibrate(known, filtering_options(min_images_per_class=100))["zero_shot_margin"]
    expected = np.quantile(np.concatenate(list(right_margins(known).values())), 0.1)
    assert expected > 0
    assert needed == {"cat": pytest.approx(expected), "dog": pytest.approx(expected)}


def test_a_scorer_that_recognises_nothing_asks_for_no_margin():
    blind = evidence(["cat", "dog"], probabilities=[[0.2, 0.8], [0.8, 0.2]])
    assert set(zero_shot.calibrate(blind, filtering_options())["zero_shot_margin"].values()) == {0.0}
