import hashlib
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.ingestion.options import SplitLimits, SplitShares
from diffaug_pipeline.ingestion.splits import assign_splits, within_limits

SHARES = SplitShares(val=0.15, test=0.25)
SEEDS = range(10)
CLASSES = {"car": 0.5, "bus": 0.2, "tram": 0.05}
"""How often each is in a scene."""


def pictures(targets: list[str] | list[set[str]], groups: list[int] | None = None) -> pd.DataFrame:
    """With a label each, or with a box for each of a set of labels; alone unless `groups` says otherwise."""
    names = [f"{number:04d}.jpg" for number in range(len(targets))]
    table = pd.DataFrame({"image_id": names, "split": None, "group": groups or range(len(targets))})
    table["sha256"] = [hashlib.sha256(name.encode()).hexdigest() for name in names]
    if isinstance(targets[0], str):
        return table.assign(label=targets)
    boxes = [[{"label": label, "xyxy": [0, 0, 9, 9], "ignored": False} for label in sorted(of)] for of in targets]
    return table.assign(boxes=boxes)


def scenes(count: int, seed: int) -> list[set[str]]:
    rng = np.random.default_rng(seed)
    return [{name for name, often in CLASSES.items() if rng.random() < often} for _ in range(count)]


def draw(table: pd.DataFrame, seed: int) -> pd.Series:
    return assign_splits(table, SHARES, seed)[0]


def moves(table: pd.DataFrame, added: int, seed: int) -> Counter:
    """How many of the others go from which split to which when the last `added` pictures come."""
    before, after = draw(table[:-added], seed), draw(table, seed)
    pairs = zip(before, after[: len(before)], strict=True)
    return Counter(pair for pair in pairs if len(set(pair)) == 2)


@pytest.mark.parametrize("added", [1, 3, 20])
def test_added_pictures_move_no_more_others_than_they_are_and_none_from_test_to_train(added):
    moved = [moves(pictures(["cat"] * (200 + added)), added, seed) for seed in SEEDS]
    assert any(moved)
    for pairs in moved:
        assert set(pairs) <= {("test", "val"), ("val", "train"), ("train", "val"), ("val", "test")}
        assert max(pairs.values(), default=0) <= added


def test_pictures_of_another_class_move_nothing():
    table = pictures(["cat"] * 50 + ["dog"] * 50)
    others = table[table["label"] == "cat"]
    for seed in SEEDS:
        assert draw(table, seed)[:50].tolist() == draw(others, seed).tolist()


def test_added_scenes_leave_nearly_all_others_where_they_were():
    for seed in SEEDS:
        pairs = moves(pictures(scenes(303, seed)), 3, seed)
        assert pairs.total() <= 15
        assert ("test", "train") not in pairs


def test_a_picture_stays_where_it_is_under_another_name_and_in_another_order():
    for targets in (["cat"] * 40 + ["dog"] * 40, scenes(80, 0)):
        table = pictures(targets)
        renamed = table.assign(image_id=table["image_id"][::-1].tolist()).sample(frac=1, random_state=0)
        assert draw(renamed, 0).sort_index().tolist() == draw(table, 0).tolist()


def test_another_seed_draws_others():
    table = pictures(["cat"] * 40)
    assert draw(table, 0).tolist() != draw(table, 1).tolist()


def test_rare_classes_reach_every_split():
    labels = [{"car"}] * 60 + [{"car", "bus"}] * 12 + [{"bus", "tram"}] * 2 + [{"tram"}] * 2 + [set()] * 24
    for seed in SEEDS:
        split = draw(pictures(labels), seed)
        assert split.value_counts().to_dict() == pytest.approx({"train": 60, "test": 25, "val": 15}, abs=2)
        for label in ("car", "bus", "tram"):
            assert set(split[[label in of for of in labels]]) == {"train", "val", "test"}, (seed, label)


def test_of_a_class_in_two_scenes_one_is_tested_and_one_trained_on():
    labels = [{"car"}] * 40 + [{"tram"}] * 2
    for seed in SEEDS:
        assert set(draw(pictures(labels), seed)[40:]) == {"train", "test"}


@pytest.mark.parametrize("target", ["cat", {"cat"}])
def test_look_alikes_stay_together_and_do_not_swallow_a_split(target):
    for seed in SEEDS:
        split = draw(pictures([target] * 100, [*range(40), *[40] * 60]), seed)
        assert split[40:].nunique() == 1
        assert split.value_counts().to_dict() == {"train": 60, "test": 25, "val": 15}


@pytest.mark.parametrize("target", ["cat", {"cat"}])
def test_three_groups_larger_than_the_shares_are_one_for_each_split(target):
    for seed in SEEDS:
        split = draw(pictures([target] * 9, [0] * 3 + [1] * 4 + [2] * 2), seed)
        assert split.groupby([0] * 3 + [1] * 4 + [2] * 2).nunique().tolist() == [1, 1, 1]
        assert set(split) == {"train", "val", "test"}


def test_a_class_of_too_few_distinct_pictures_is_refused_by_name():
    table = pictures(["cat"] * 10 + ["dog"] * 9, [*range(10), *[10, 11] * 4, 10])
    with pytest.raises(DatasetFormatError, match="class 'dog' has 2 distinct pictures, too few for 3 splits"):
        draw(table, 0)


def test_a_limit_without_labels_is_for_all_images_of_a_split():
    table = pictures([{"cat"}] * 6).assign(split=["train"] * 4 + ["val"] * 2)
    kept = within_limits(table, SplitLimits(train=3, val=None, test=None), 0)
    assert kept[:4].sum() == 3
    assert kept[4:].all()
