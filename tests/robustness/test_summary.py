import numpy as np
import pytest
from robustness.robustness_cases import measures_table

from diffaug_pipeline.robustness.summary import Performance, summarize_robustness

BASELINE = {"fog": [[0.6, 0.7], [0.2, 0.3]], "snow": [[0.8, 0.9], [0.7, 0.7]]}
BETTER = {"fog": [[0.7, 0.7], [0.4, 0.3]], "snow": [[0.9, 0.9], [0.6, 0.7]]}


def summarize(baseline: dict, treatment: dict, clean: tuple = ([0.8, 0.9], [0.9, 0.9]), **how) -> dict:
    measures = {
        "real_only": measures_table(clean[0], baseline, **how),
        "augmented": measures_table(clean[1], treatment, **how),
    }
    return summarize_robustness(measures, {}, 100, 0.95)


def test_mean_corruption_errors_are_those_computed_by_hand():
    document = summarize(BASELINE, BETTER)
    # Errors summed over severities: fog 0.4 + 0.8 and 0.3 + 0.7, mean 1.1; snow 0.2 + 0.3 and 0.1 + 0.3, mean 0.45.
    fog = np.array([0.3 + 0.6, 0.3 + 0.7]) / 1.1
    snow = np.array([0.1 + 0.4, 0.1 + 0.3]) / 0.45
    error = document["mean_corruption_error"]
    np.testing.assert_allclose(error["arms"]["augmented"]["values"], (fog + snow) / 2)
    np.testing.assert_allclose(error["arms"]["augmented"]["mean"], (fog + snow).mean() / 2)
    assert error["arms"]["real_only"]["mean"] == pytest.approx(1)
    np.testing.assert_allclose(error["difference"]["mean"], (fog + snow).mean() / 2 - 1)
    of_fog = document["corruptions"]["fog"]["corruption_error"]["arms"]["augmented"]
    np.testing.assert_allclose(of_fog["values"], fog)


def test_relative_errors_are_those_that_corruption_adds():
    document = summarize(BASELINE, BETTER)
    # Clean errors are 0.2 and 0.1, and 0.1 and 0.1 with synthetic images; over two severities they count twice.
    fog = np.array([0.9 - 0.2, 1.0 - 0.2]) / np.mean([1.2 - 0.4, 1.0 - 0.2])
    snow = np.array([0.5 - 0.2, 0.4 - 0.2]) / np.mean([0.5 - 0.4, 0.4 - 0.2])
    relative = document["relative_mean_corruption_error"]
    np.testing.assert_allclose(relative["arms"]["augmented"]["values"], (fog + snow) / 2)
    assert relative["arms"]["real_only"]["mean"] == pytest.approx(1)


def test_what_is_left_of_the_clean_performance():
    document = summarize(BASELINE, BETTER, metric="map_50_95")
    np.testing.assert_allclose(document["corrupted"]["arms"]["real_only"]["values"], [2.3 / 4, 2.6 / 4])
    np.testing.assert_allclose(document["retained"]["arms"]["real_only"]["values"], [2.3 / 4 / 0.8, 2.6 / 4 / 0.9])
    assert document["mean_corruption_error"] is None
    assert document["relative_mean_corruption_error"] is None
    assert document["corruptions"]["fog"]["corruption_error"] is None


def test_the_same_networks_do_not_differ():
    document = summarize(BASELINE, BASELINE, clean=([0.8, 0.9], [0.8, 0.9]), spread=0.02)
    for name in ("mean_corruption_error", "relative_mean_corruption_error"):
        assert document[name]["arms"]["augmented"]["mean"] == pytest.approx(1)
    for name in ("clean", "corrupted", "retained", "mean_corruption_error", "relative_mean_corruption_error"):
        assert document[name]["difference"]["mean"] == 0
        assert document[name]["difference"]["interval"] == [0, 0]


def test_intervals_hold_the_mean_and_stay_possible():
    document = summarize(BASELINE, BETTER, spread=0.3)
    for result in (document["clean"], document["corrupted"], *document["corruptions"].values()):
        for of_arm in result["arms"].values():
            low, high = of_arm["interval"]
            assert 0 <= low <= of_arm["mean"] <= high <= 1
            assert low < high
        low, high = result["difference"]["interval"]
        assert -1 <= low <= result["difference"]["mean"] <= high <= 1


def test_a_corruption_that_costs_nothing_is_no_part_of_the_relative_error():
    costless = BASELINE | {"snow": [[0.8, 0.9], [0.8, 0.9]]}
    alone = {"fog": BASELINE["fog"]}, {"fog": BETTER["fog"]}
    with_it, without = summarize(costless, BETTER), summarize(*alone)
    name = "relative_mean_corruption_error"
    assert with_it[name]["arms"] == without[name]["arms"]
    nothing = summarize({"snow": costless["snow"]}, {"snow": BETTER["snow"]})
    assert nothing[name]["arms"] == {"real_only": None, "augmented": None}
    assert nothing[name]["difference"] is None


def test_networks_that_find_nothing_leave_no_share():
    nothing = {name: [[0.0, 0.0], [0.0, 0.0]] for name in BASELINE}
    document = summarize(nothing, nothing, clean=([0.0, 0.0], [0.0, 0.0]), metric="map_50_95")
    assert document["retained"]["difference"] is None
    assert document["corrupted"]["arms"]["augmented"]["mean"] == 0


def test_values_come_first_and_seeds_last():
    arm = Performance.of(measures_table([0.8, 0.9], BASELINE))
    assert arm.corrupted.shape == (201, 2, 2, 2)
    np.testing.assert_allclose(arm.corrupted[0], [BASELINE["fog"], BASELINE["snow"]])
    assert (arm.corruptions, arm.severities, arm.seeds) == (["fog", "snow"], [1, 5], [0, 1])


def test_arms_that_were_measured_differently_are_refused():
    with pytest.raises(ValueError, match=r"augmented has corruptions \['fog'\], real_only has \['fog', 'snow'\]"):
        summarize(BASELINE, {"fog": BETTER["fog"]})
    with pytest.raises(ValueError, match=r"augmented has seeds \[0\], real_only has \[0, 1\]"):
        summarize(
            BASELINE, {name: [values[:1] for values in rows] for name, rows in BETTER.items()}, ([0.8, 0.9], [0.9])
        )
