import json

import numpy as np
import pytest
from measures.measure_cases import cloud, modes, options, pictures

from diffaug_pipeline.measures.catalogue import ACCEPTED, FID, MADE, MEASURES, REAL
from diffaug_pipeline.measures.comparison import compare_sets


def holds(value: dict, number: float) -> bool:
    return value["low"] <= number <= value["high"]


def test_pictures_like_the_real_ones_are_where_real_ones_are():
    document = compare_sets(pictures(cloud(200, seed=0), cloud(300, seed=1)), options(), seed=0)
    floor, made = document["sets"][REAL], document["sets"][MADE]
    assert holds(made["kid"], 0)
    assert holds(made["cmmd"], 0)
    for name in MEASURES:
        assert holds(made[name], floor[name]["mean"]), name
        assert floor[name]["low"] < floor[name]["mean"] < floor[name]["high"] or name in {"precision", "recall"}


def test_sets_of_different_sizes_are_compared_at_the_same_one():
    accepted = np.arange(300) < 60
    document = compare_sets(pictures(cloud(200, seed=0), cloud(300, seed=1), accepted), options(), seed=0)
    assert document["counts"] == {REAL: 200, MADE: 300, ACCEPTED: 60}
    assert {value["images"] for values in document["sets"].values() for value in values.values() if value} == {30}
    few = compare_sets(pictures(cloud(200, seed=0), cloud(300, seed=1)), options(max_images=25), seed=0)
    assert {value["images"] for value in few["change"].values()} == {25}


def test_the_size_of_a_set_alone_changes_nothing():
    """Recall, coverage and Vendi would rise with the number of pictures; few accepted ones of the same are no loss."""
    accepted = np.arange(400) < 80
    change = compare_sets(pictures(cloud(300, seed=0), cloud(400, seed=1), accepted), options(), seed=0)["change"]
    assert all(holds(value, 0) for value in change.values())


def test_a_filter_that_keeps_one_mode_costs_diversity_and_no_precision():
    made = modes(100, seed=1)
    document = compare_sets(pictures(modes(100, seed=0), made, np.arange(300) % 3 == 0), options(), seed=0)
    change = document["change"]
    assert all(change[name]["high"] < 0 for name in ("recall", "coverage", "vendi"))
    assert change["precision"]["high"] > -0.02
    assert change["kid"]["low"] > 0


def test_a_filter_that_removes_noise_gains_realism():
    made = np.concatenate([cloud(150, seed=1, spread=0.2), cloud(150, seed=2, spread=0.6)])
    document = compare_sets(pictures(cloud(200, 0, spread=0.2), made, np.arange(300) < 150), options(), seed=0)
    change = document["change"]
    assert all(change[name]["low"] > 0 for name in ("precision", "density"))
    assert all(change[name]["high"] < 0 for name in ("kid", "cmmd"))


def test_a_filter_that_keeps_everything_changes_nothing():
    change = compare_sets(pictures(cloud(40, seed=0), cloud(50, seed=1)), options(), seed=0)["change"]
    assert {(value["mean"], value["low"], value["high"]) for value in change.values()} == {(0, 0, 0)}


def test_draws_depend_on_the_seed_alone():
    sets = pictures(cloud(40, seed=0), cloud(50, seed=1))
    assert compare_sets(sets, options(), seed=3) == compare_sets(sets, options(), seed=3)
    assert compare_sets(sets, options(), seed=3) != compare_sets(sets, options(), seed=4)


@pytest.mark.parametrize(("name", "fewest"), [("kid", 0.93), ("precision", 0.93), ("recall", 0.93), ("vendi", 0.85)])
def test_intervals_hold_what_other_samples_say(name, fewest):
    documents = [
        compare_sets(pictures(cloud(80, seed), cloud(120, 1_000 + seed, spread=0.5)), options(), seed)["sets"][MADE]
        for seed in range(40)
    ]
    truth = np.mean([document[name]["mean"] for document in documents])
    assert np.mean([holds(document[name], truth) for document in documents]) >= fewest


@pytest.mark.parametrize("count", [0, 1, 9])
def test_what_has_too_few_pictures_is_null_and_does_not_make_the_others_small(count):
    sets = pictures(cloud(40, seed=0), cloud(50, seed=1), np.arange(50) < count)
    document = compare_sets(sets, options(), seed=0)
    assert set(document["sets"][ACCEPTED].values()) == set(document["change"].values()) == {None}
    assert document["sets"][MADE]["kid"]["images"] == 20


@pytest.mark.parametrize(("real_count", "made_count"), [(1, 50), (40, 1), (40, 0), (0, 0)])
def test_without_enough_real_or_synthetic_pictures_nothing_is_measured(real_count, made_count):
    document = compare_sets(pictures(cloud(real_count, seed=0), cloud(made_count, seed=1)), options(), seed=0)
    assert all(set(values.values()) == {None} for values in document["sets"].values())
    assert json.loads(json.dumps(document)) == document


def test_fid_needs_many_on_both_sides_and_twice_as_many_real_ones_for_a_floor():
    real, made = cloud(90, seed=0), cloud(60, seed=1)
    sets = pictures(real, made, np.arange(60) < 50)
    assert {values[FID] for values in compare_sets(sets, options(), seed=0)["sets"].values()} == {None}
    fids = {
        fewest: {
            name: value and value["images"]
            for name, values in compare_sets(sets, options(min_images_for_fid=fewest), seed=0)["sets"].items()
            for value in [values[FID]]
        }
        for fewest in (45, 50, 55)
    }
    assert fids == {
        45: {REAL: 45, MADE: 45, ACCEPTED: 45},
        50: {REAL: None, MADE: 50, ACCEPTED: 50},
        55: {REAL: None, MADE: 60, ACCEPTED: None},
    }
