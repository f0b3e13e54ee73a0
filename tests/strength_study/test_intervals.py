import numpy as np
import pytest
from scipy import stats

from diffaug_pipeline.evaluation.intervals import Interval
from diffaug_pipeline.strength_study.intervals import (
    correlation_of,
    difference_interval,
    mean_interval,
    proportion_interval,
)


def test_a_mean_has_students_interval():
    values = np.random.default_rng(0).normal(3, 2, 25)
    ours, theirs = mean_interval(values, 0.9), stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert ours.mean == pytest.approx(values.mean())


def test_values_that_do_not_exist_do_not_count():
    values = np.array([1.0, np.nan, 2.0, 4.0])
    assert mean_interval(values, 0.95) == mean_interval(np.array([1.0, 2.0, 4.0]), 0.95)
    lone, none = mean_interval(values[:2], 0.95), mean_interval(values[1:2], 0.95)
    assert (lone.mean, np.isnan(lone.low), np.isnan(lone.high)) == (1.0, True, True)
    assert np.isnan([none.mean, none.low, none.high]).all()


@pytest.mark.parametrize("agreeing", [0, 1, 7, 19, 20])
def test_one_picture_per_source_gives_wilsons_interval(agreeing):
    ours = proportion_interval(np.arange(20) < agreeing, 1, 0.95)
    theirs = stats.binomtest(agreeing, 20).proportion_ci(0.95, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_pictures_of_one_source_that_always_agree_count_once():
    alike = proportion_interval(np.arange(40) < 30, 5, 0.95)
    theirs = stats.binomtest(30, 40).proportion_ci(0.95, method="wilson")
    assert (alike.low, alike.high) == pytest.approx((theirs.low, theirs.high))


def test_pictures_that_differ_no_less_within_a_source_count_each():
    spread = proportion_interval(np.full(40, 0.75), 4, 0.95)
    theirs = stats.binomtest(120, 160).proportion_ci(0.95, method="wilson")
    assert (spread.low, spread.high) == pytest.approx((theirs.low, theirs.high))


def test_the_difference_of_independent_proportions_is_newcombes():
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10: 56/70 against 48/80
    first, second = proportion_interval(np.arange(70) < 56, 1, 0.95), proportion_interval(np.arange(80) < 48, 1, 0.95)
    difference = difference_interval(first, second, 0.0)
    assert (difference.low, difference.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_a_perfect_score_on_both_sides_leaves_room_for_doubt():
    perfect = proportion_interval(np.ones(20), 1, 0.95)
    difference = difference_interval(perfect, perfect, 0.0)
    assert difference.mean == 0
    assert difference.low == -difference.high < -0.1


def test_sources_that_are_right_or_wrong_together_narrow_the_difference():
    interval = Interval(0.8, 0.7, 0.9)
    widths = [
        np.ptp([getattr(difference_interval(interval, interval, r), side) for side in ("low", "high")])
        for r in (0, 0.5, 0.9)
    ]
    assert widths == sorted(widths, reverse=True)
    assert difference_interval(interval, interval, 1.0).high == pytest.approx(0)


def test_correlation_is_pearsons_and_zero_where_nothing_varies():
    first, second = np.random.default_rng(1).normal(size=(2, 30))
    assert correlation_of(first, second) == pytest.approx(stats.pearsonr(first, second).statistic)
    assert correlation_of(np.ones(30), second) == 0


@pytest.mark.parametrize("spread", [1.0, 5.0, 50.0])
def test_intervals_cover_what_they_promise(spread):
    """Sources with a chance of their own, beta distributed; agreement on the source itself goes with it."""
    rng, sources, samples, mean = np.random.default_rng(2), 100, 4, 0.85
    covered = {"agreement": [], "change": []}
    for _ in range(800):
        chance = rng.beta(mean * spread, (1 - mean) * spread, sources)
        shares, real = rng.binomial(samples, chance) / samples, rng.binomial(1, chance).astype(float)
        agreement, reference = proportion_interval(shares, samples, 0.95), proportion_interval(real, 1, 0.95)
        change = difference_interval(agreement, reference, correlation_of(shares, real))
        covered["agreement"].append(agreement.low <= mean <= agreement.high)
        covered["change"].append(change.low <= 0 <= change.high)
    assert 0.925 < np.mean(covered["agreement"]) < 0.985
    assert 0.925 < np.mean(covered["change"]) < 0.985
