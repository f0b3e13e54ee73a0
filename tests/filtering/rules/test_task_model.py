import numpy as np
import pytest
from filtering.filter_cases import ask, evidence, filtering_options

from diffaug_pipeline.filtering.rules import task_model

REAL = evidence(["cat", "cat", "dog", "dog"], predictions=[[0.9, 0.1], [0.5, 0.5], [0.4, 0.6], [0.0, 1.0]])
USUAL = {"task_model_probability": {"cat": 0.7, "dog": 0.8}, "task_model_draw": 1.0}
"""Mean probabilities of the own class in `REAL`."""


def test_what_is_usual_is_the_mean_probability_that_real_images_of_a_class_get():
    assert task_model.calibrate(REAL, filtering_options()) == {
        "task_model_probability": {"cat": pytest.approx(0.7), "dog": pytest.approx(0.8)},
        "task_model_draw": 1.0,
    }


def test_poor_classifiers_accuse_nobody():
    guesses = evidence(["cat", "dog"] * 2, ("cat", "dog", "eel"), predictions=[[0.3, 0.36, 0.34]] * 4)
    for floor, passes in ((0.0, [False, True] * 2), (0.5, [True] * 4)):
        options = filtering_options(task_model={"min_confidence": floor})
        usual = task_model.calibrate(guesses, options)
        assert ask(task_model, guesses, usual, options)["passes"].tolist() == passes
    assert usual["task_model_probability"] == {"cat": 0.5, "dog": 0.5}


@pytest.mark.parametrize(
    ("label", "probabilities", "passes"),
    [
        ("cat", [0.95, 0.05], True),  # surely a cat
        ("cat", [0.15, 0.85], False),  # surely a dog
        ("cat", [0.25, 0.75], True),  # more likely a dog, but real dogs are recognised more clearly
        ("dog", [0.75, 0.25], False),  # as clear a cat as real ones are
        ("dog", [0.5, 0.5], True),
    ],
)
def test_only_images_that_are_surely_of_another_class_fail(label, probabilities, passes):
    known = evidence([label], predictions=[probabilities])
    judged = ask(task_model, known, USUAL, filtering_options())
    assert judged["passes"].tolist() == [passes]
    assert judged["task_model_class"].tolist() == [("cat", "dog")[int(np.argmax(probabilities))]]
    assert judged["task_model_probability"].tolist() == [probabilities[("cat", "dog").index(label)]]


def test_where_several_classes_are_confident_the_more_probable_one_counts():
    low = {"task_model_probability": {"cat": 0.3, "dog": 0.3}, "task_model_draw": 1.0}
    known = evidence(["cat", "cat"], predictions=[[0.55, 0.45], [0.45, 0.55]])
    assert ask(task_model, known, low, filtering_options())["passes"].tolist() == [True, False]


def test_a_class_without_real_training_images_accuses_nobody():
    known = evidence(["cat"], ("cat", "dog", "eel"), predictions=[[0.0, 0.0, 1.0]])
    assert ask(task_model, known, USUAL, filtering_options())["passes"].tolist() == [True]


def passing(count: int, keep: float, seed: int = 0) -> list[bool]:
    """Surely right cats, then as many of which nothing is sure."""
    known = evidence(["cat"] * 2 * count, predictions=[[0.9, 0.1]] * count + [[0.5, 0.5]] * count)
    options = filtering_options(task_model={"keep_confident": keep, "seed": seed})
    thresholds = USUAL | {"task_model_draw": keep}
    return ask(task_model, known, thresholds, options)["passes"].tolist()


def test_a_share_of_what_is_surely_right_is_kept_and_all_that_is_not():
    kept = passing(2_000, 0.3)
    assert np.mean(kept[:2_000]) == pytest.approx(0.3, abs=0.04)
    assert all(kept[2_000:])
    assert all(passing(50, 1.0))


def test_who_is_kept_depends_on_nothing_but_the_seed_and_the_share():
    few, many, most = (np.array(passing(count, keep)) for count, keep in ((40, 0.3), (80, 0.3), (40, 0.6)))
    assert few[:40].tolist() == many[:40].tolist()
    assert most[few].all()
    assert few.tolist() != passing(40, 0.3, seed=1)
