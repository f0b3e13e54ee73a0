import numpy as np
import pytest
import simulate_intervals
from scipy import stats
from simulate_intervals import HIGHEST, LOWEST, STANDARD, Condition, coverage

from diffaug_pipeline.evaluation.intervals import bootstrap_counts, crossed_interval, crossed_standard_error

SIMULATIONS = 500


def half_width(interval) -> float:
    assert interval.high - interval.mean == pytest.approx(interval.mean - interval.low)
    return interval.high - interval.mean


def uncorrelated(spread: float, seeds: int = 5, samples: int = 20_000) -> np.ndarray:
    return np.random.default_rng(0).normal(0, spread, (samples, seeds))


def test_with_images_that_never_vary_the_interval_is_the_t_interval_over_seeds():
    values = np.array([0.01, 0.03, 0.02, 0.05, 0.04])
    interval = crossed_interval(values, np.tile(values, (300, 1)), 0.95)
    low, high = stats.t.interval(0.95, 4, values.mean(), values.std(ddof=1) / np.sqrt(5))
    assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))


def test_with_seeds_that_never_vary_the_interval_is_that_of_the_images():
    answers = (np.random.default_rng(0).random(500) < 0.7).astype(float)
    counts = np.concatenate(list(bootstrap_counts(500, 4_000, 0)))
    resampled = np.repeat((counts @ answers / 500)[:, None], 5, axis=1)
    interval = crossed_interval(np.full(5, answers.mean()), resampled, 0.95)
    assert half_width(interval) == pytest.approx(1.96 * np.sqrt(answers.var() / 500), rel=0.06)


def test_seeds_that_agree_by_chance_do_not_shrink_the_interval_to_nothing():
    interval = crossed_interval(np.full(5, 0.02), uncorrelated(0.01), 0.95)
    assert half_width(interval) == pytest.approx(1.96 * 0.01 / np.sqrt(2) / np.sqrt(5), rel=0.02)


def test_seeds_that_differ_by_more_than_images_explain_are_believed():
    values = np.array([0.0, 0.02, 0.04, 0.06, 0.08])
    interval = crossed_interval(values, uncorrelated(0.01), 0.95)
    t_interval = stats.t.ppf(0.975, 4) * values.std(ddof=1) / np.sqrt(5)
    assert half_width(interval) == pytest.approx(t_interval, rel=0.02)


def test_one_seed_has_the_interval_of_the_images_alone():
    interval = crossed_interval(np.array([0.02]), uncorrelated(0.01, seeds=1), 0.95)
    assert half_width(interval) == pytest.approx(1.96 * 0.01, rel=0.02)


def test_the_standard_error_is_what_the_interval_is_made_of():
    values, resampled = np.full(5, 0.02), uncorrelated(0.01)
    error = crossed_standard_error(values, resampled)
    assert half_width(crossed_interval(values, resampled, 0.95)) == pytest.approx(stats.norm.ppf(0.975) * error)


def covers_as_it_should(share: float) -> bool:
    """Whether `SIMULATIONS` with this outcome are within two standard errors of the range that is required."""
    below, above = (2 * np.sqrt(bound * (1 - bound) / SIMULATIONS) for bound in (LOWEST, HIGHEST))
    return LOWEST - below <= share <= HIGHEST + above


@pytest.mark.parametrize(
    ("condition", "seeds", "seed_sd"),
    [
        (STANDARD, 5, 0.0),
        (STANDARD, 5, 0.04),
        (STANDARD, 10, 0.02),
        (Condition(images=200, accuracy=0.9, difference=0.0), 5, 0.01),
        (Condition(image_share=0.0, arm_image_share=0.0, seed_image_share=0.0), 5, 0.0),
    ],
)
def test_intervals_cover_the_truth_as_often_as_they_claim(condition, seeds, seed_sd):
    assert covers_as_it_should(coverage(condition, seeds, seed_sd, SIMULATIONS)["ours"])


@pytest.mark.parametrize(("method", "seeds", "seed_sd"), [("bootstrap", 5, 0.04), ("t over seeds", 10, 0.0)])
def test_other_methods_do_not(method, seeds, seed_sd):
    assert not covers_as_it_should(coverage(Condition(images=1_000), seeds, seed_sd, SIMULATIONS)[method])


def test_simulated_answers_have_the_difference_and_spread_they_are_asked_for():
    rng = np.random.default_rng(0)
    condition = Condition(images=4_000, difference=0.03)
    means = simulate_intervals.differences(condition, 10, 0.04, 40, rng).mean(2)
    assert means.mean() == pytest.approx(0.03, abs=0.01)
    assert means.std(axis=1, ddof=1).mean() == pytest.approx(np.sqrt(2) * 0.04, rel=0.1)


def test_the_benchmark_fails_where_an_interval_covers_too_little(monkeypatch, capsys):
    cells = {(5, 0.0): 0.95, (5, 0.04): 0.91}
    monkeypatch.setattr(simulate_intervals, "CONDITIONS", {"standard": STANDARD})
    monkeypatch.setattr(simulate_intervals, "SEED_COUNTS", (5,))
    monkeypatch.setattr(simulate_intervals, "SEED_SDS", (0.0, 0.04))
    monkeypatch.setattr(
        simulate_intervals,
        "coverage",
        lambda condition, seeds, sd, simulations: {"ours": cells[seeds, sd], "bootstrap": 0.9, "t over seeds": 0.9},
    )
    assert simulate_intervals.main() == 1
    assert "nowhere" not in capsys.readouterr().out
    cells[5, 0.04] = 0.93
    assert simulate_intervals.main() == 0
    assert "95.0 (90.0, 90.0)" in capsys.readouterr().out
