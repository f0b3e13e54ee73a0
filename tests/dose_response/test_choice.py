import numpy as np
import pytest
from evaluations import evaluation_options, outcomes

from diffaug_pipeline.dose_response.choice import choose_ratio, measure_arms
from diffaug_pipeline.evaluation.comparison import compare_arms

FLAT = dict.fromkeys((0.0, 0.5, 1.0, 2.0), 0.01)


@pytest.mark.parametrize(
    ("gains", "standard_errors", "best", "chosen"),
    [
        ((0, 0.02, 0.05, 0.03), 1, 1.0, 1.0),  # clearly best
        ((0, 0.045, 0.05, 0.03), 1, 1.0, 0.5),  # a smaller one within a standard error
        ((0, 0.045, 0.05, 0.03), 0, 1.0, 1.0),  # no such rule
        ((0, 0.005, 0.008, 0.0), 1, 1.0, 0.0),  # nothing clearly better than no synthetic image
        ((0, 0.03, 0.03, 0.03), 0, 0.5, 0.5),  # a tie goes to the smaller dose
        ((0, -0.01, -0.02, -0.05), 1, 0.0, 0.0),  # all worse
        ((0, 0, 0, 0), 0, 0.0, 0.0),
    ],
)
def test_the_smallest_dose_within_the_rule_is_chosen(gains, standard_errors, best, chosen):
    by_ratio = dict(zip(FLAT, gains, strict=True))
    errors = FLAT | {0.0: 0.0}
    assert choose_ratio(by_ratio, errors, standard_errors) == (best, chosen)


def test_differences_and_intervals_are_those_of_the_comparison_of_arms():
    answers = outcomes({"real_only": 0.7, "augmented": 0.74}, images=200)
    measured = measure_arms(answers, evaluation_options())
    gain = measured["augmented"].minus(measured["real_only"])
    expected = compare_arms(answers, evaluation_options())
    assert gain.mean == pytest.approx(expected["delta"])
    interval = gain.interval(0.95)
    np.testing.assert_allclose([interval.low, interval.high], expected["interval"])
    assert gain.interval(0.5).high - gain.mean < gain.standard_error < interval.high - gain.mean


def test_an_arm_gains_nothing_over_itself():
    measured = measure_arms(outcomes({"ratio_0": 0.7}), evaluation_options())
    nothing = measured["ratio_0"].minus(measured["ratio_0"])
    assert (nothing.mean, nothing.standard_error) == (0, 0)
