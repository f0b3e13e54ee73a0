import numpy as np
import pytest

from diffaug_pipeline.auditing.thresholds import COPIED, RECODED, are_copies, copy_threshold


def power_law(count: int, seed: int) -> np.ndarray:
    """Distances below 0.03 of which the share below x grows like the fourth power of x."""
    return 0.03 * np.random.default_rng(seed).random(count) ** 0.25


def false_alarms(count: int, rate: float) -> np.ndarray:
    """Of 200 draws of so many distances: the share of further ones below the threshold."""
    thresholds = np.array([copy_threshold(power_law(count, seed), rate) for seed in range(200)])
    return (thresholds / 0.03) ** 4


def test_many_distances_give_the_rate_that_was_asked_for():
    assert false_alarms(20_000, 0.005).mean() == pytest.approx(0.005, rel=0.1)


@pytest.mark.parametrize("count", [12, 50, 200, 1_000])
def test_few_distances_give_no_more_than_that(count):
    assert np.quantile(false_alarms(count, 0.005), 0.95) < 0.0075


def test_real_images_that_are_copies_of_each_other_do_not_blind_the_audit():
    distances = power_law(2_000, 0)
    distances[:100] = 0.0005
    assert copy_threshold(distances, 0.005) == pytest.approx(copy_threshold(distances[100:], 0.005))
    assert copy_threshold(np.zeros(50), 0.005) == RECODED


def test_pictures_far_apart_do_not_make_copies_of_what_is_merely_similar():
    assert copy_threshold(np.linspace(0.4, 0.9, 5_000), 0.01) == COPIED


def test_nothing_to_go_by_leaves_the_least_threshold():
    assert copy_threshold(np.empty(0), 0.01) == RECODED


@pytest.mark.parametrize(
    ("distance", "runner_up", "copy"),
    [
        (0.009, 0.011, True),
        (0.011, 0.012, False),
        (0.011, 0.2, True),
        (0.03, 0.9, False),
        (0.009, np.nan, True),
        (0.011, np.nan, False),
    ],
)
def test_a_copy_is_near_or_stands_out(distance, runner_up, copy):
    assert are_copies(np.array([distance]), np.array([runner_up]), 0.01).tolist() == [copy]
