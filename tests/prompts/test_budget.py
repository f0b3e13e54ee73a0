"""How many images each class gets: exact totals, floors, and more for those who need more."""

from itertools import pairwise

import pandas as pd
import pytest
from factories import annotated_image_set, real_image_set
from hypothesis import given
from hypothesis import strategies as st

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.prompts.budget import EVEN_SHARE, allocate, apportion, count_images, favour, fill_up, no_errors
from diffaug_pipeline.prompts.options import BudgetOptions

NAMES = st.text("abcdefgh", min_size=1, max_size=4)
COUNTS = st.dictionaries(NAMES, st.integers(0, 300), min_size=1, max_size=12)
ERRORS = st.dictionaries(NAMES, st.floats(0, 1), min_size=1, max_size=12)
TOTALS = st.integers(1, 2_000)


def budget(**changes) -> BudgetOptions:
    return BudgetOptions(**{"allocation": "uniform", "total": None, "quota": None} | changes)


@pytest.fixture(scope="module")
def train(tmp_path_factory) -> ImageSet:
    """Six cats, two dogs."""
    images = real_image_set(tmp_path_factory.mktemp("real"), {"train": 6}).index
    return ImageSet(
        images[(images["label"] == "cat") | (images.groupby("label").cumcount() < 2)].reset_index(drop=True)
    )


def errors(**of_class: float) -> pd.DataFrame:
    return pd.DataFrame({"class_name": of_class.keys(), "error": of_class.values()})


@given(TOTALS, COUNTS.filter(lambda weights: any(weights.values())))
def test_shares_add_up_and_differ_from_the_exact_ones_by_less_than_one(total, weights):
    shares = apportion(total, weights)
    assert sum(shares.values()) == total
    exact = {name: total * weight / sum(weights.values()) for name, weight in weights.items()}
    assert all(abs(shares[name] - exact[name]) < 1 for name in weights)


@given(TOTALS, COUNTS)
def test_filling_up_leaves_no_better_place_for_any_image(total, counts):
    """As equal as can be: moving an image from any class that got one to another would not make two more equal."""
    shares = fill_up(total, counts)
    assert sum(shares.values()) == total
    filled = {name: counts[name] + share for name, share in shares.items()}
    assert all(filled[name] <= min(filled.values()) + 1 for name, share in shares.items() if share)


@given(TOTALS, COUNTS)
def test_a_larger_total_fills_up_further_and_takes_nothing_away(total, counts):
    before, after = fill_up(total, counts), fill_up(total + 1, counts)
    assert sorted(after[name] - before[name] for name in counts) == [0] * (len(counts) - 1) + [1]


@given(st.integers(0, 2_000), ERRORS)
def test_a_weaker_class_never_gets_less_and_none_goes_without(extra, of_class):
    total = len(of_class) + extra
    shares = favour(total, of_class)
    assert sum(shares.values()) == total
    assert min(shares.values()) >= max(1, int(EVEN_SHARE * total / len(of_class)))
    ordered = sorted(of_class, key=of_class.get)
    assert all(
        shares[weak] >= shares[strong] for strong, weak in pairwise(ordered) if of_class[strong] < of_class[weak]
    )


def test_twice_the_error_is_twice_the_images_above_the_floor():
    assert favour(320, {"bag": 0.125, "coat": 0.25, "shirt": 0.25}) == {"bag": 72, "coat": 124, "shirt": 124}
    assert favour(9, {"bag": 0.0, "coat": 0.0, "shirt": 0.0}) == {"bag": 3, "coat": 3, "shirt": 3}


def test_without_a_total_every_class_gets_what_synthesis_says(train):
    assert allocate(budget(), train, 7, no_errors()) == {"cat": 7, "dog": 7}
    assert allocate(budget(total=9), train, 7, no_errors()) == {"cat": 5, "dog": 4}


def test_balance_goes_by_real_training_images(train):
    assert allocate(budget(allocation="balance"), train, 5, no_errors()) == {"cat": 3, "dog": 7}
    assert allocate(budget(allocation="balance", total=1), train, 5, no_errors()) == {"cat": 0, "dog": 1}


def test_weakness_goes_by_the_errors_and_takes_the_mean_for_a_class_without(train):
    weak = allocate(budget(allocation="weakness"), train, 50, errors(cat=0.1, dog=0.4))
    assert weak == {"cat": 26, "dog": 74}
    assert allocate(budget(allocation="weakness"), train, 50, errors(dog=0.4)) == {"cat": 50, "dog": 50}


def test_objects_that_count_are_counted_where_there_are_boxes(tmp_path):
    assert count_images(annotated_image_set(tmp_path).where(split="train")) == {"bag": 2, "coat": 2}


def test_weakness_without_errors_is_refused(train):
    with pytest.raises(ParameterError, match="weakness, but no class has validation images"):
        allocate(budget(allocation="weakness"), train, 5, no_errors())


def test_a_total_that_leaves_classes_without_is_refused(train):
    with pytest.raises(ParameterError, match=r"budget\.total is 1, but there are 2 classes; raise it"):
        allocate(budget(total=1), train, 5, no_errors())


def test_a_quota_that_no_class_can_meet_is_refused(train):
    assert allocate(budget(quota=5), train, 5, no_errors()) == {"cat": 5, "dog": 5}
    with pytest.raises(ParameterError, match=r"budget\.quota is 6, but at most 5 images of a class are planned"):
        allocate(budget(quota=6), train, 5, no_errors())
