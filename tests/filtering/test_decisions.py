import numpy as np
import pandas as pd
import pytest
from filtering.filter_cases import filtering_options, gray_thumbnails

from diffaug_pipeline.filtering.decisions import conclude, judge_as_a_set, passing
from diffaug_pipeline.filtering.rules.near_duplicates import describe

SELECTION = filtering_options().selection
APART = {"near_duplicates": {"near_duplicate_distance": 0.1}}


def judged(**passes: list[bool]) -> pd.DataFrame:
    """Cats that each rule passes or fails."""
    count = len(next(iter(passes.values())))
    table = pd.DataFrame({"image_id": list("abcdefgh")[:count], "label": "cat", "by_hand": None})
    return table.assign(clip_score=np.linspace(1, 0.5, count), **{f"{rule}_passes": of for rule, of in passes.items()})


@pytest.mark.parametrize(
    ("rules", "reasons"),
    [
        (["blank", "clip_score"], [None, "blank", "clip_score", "blank"]),
        (["clip_score", "blank"], [None, "blank", "clip_score", "clip_score"]),
    ],
)
def test_the_first_failed_rule_of_the_list_is_the_reason(rules, reasons):
    concluded = conclude(
        judged(blank=[True, False, True, False], clip_score=[True, True, False, False]), rules, SELECTION
    )
    assert concluded["accepted"].tolist() == [True, False, False, False]
    assert concluded["reason"].where(concluded["reason"].notna(), None).tolist() == reasons


def test_what_passes_and_is_not_taken_is_told_from_what_is_rejected():
    best = filtering_options(selection={"policy": "top_k", "top_k": 1}).selection
    concluded = conclude(judged(blank=[False, True, True]), ["blank"], best)
    assert concluded["reason"].tolist()[::2] == ["blank", "selection"]
    assert concluded["accepted"].tolist() == [False, True, False]


def test_without_rules_everything_is_accepted():
    concluded = conclude(judged(blank=[False, True]), [], SELECTION)
    assert concluded["accepted"].all()
    assert concluded["reason"].isna().all()


def test_a_rule_of_the_list_that_judged_nothing_is_no_rule_passed():
    with pytest.raises(KeyError, match="leakage_passes"):
        conclude(judged(blank=[True, True]), ["leakage", "blank"], SELECTION)


def test_near_duplicates_are_sought_among_what_passes_the_other_rules():
    table = judged(blank=[False, True, True, True])
    descriptors = describe(gray_thumbnails(10, 10, 10, 90))
    rules = ["blank", "near_duplicates"]
    as_a_set = judge_as_a_set(table, rules, descriptors, APART)
    assert as_a_set["near_duplicates_passes"].tolist() == [False, True, False, True]
    assert passing(as_a_set, rules).tolist() == [False, True, False, True]
    reasons = conclude(as_a_set, rules, SELECTION)["reason"]
    assert reasons.dropna().to_dict() == {0: "blank", 2: "near_duplicates"}


def test_what_a_person_decided_stands_above_rules_and_selection():
    best = filtering_options(selection={"policy": "top_k", "top_k": 1}).selection
    table = judged(blank=[True, True, True, False, False]).assign(by_hand=["reject", None, None, "keep", None])
    concluded = conclude(table, ["blank"], best)
    assert concluded["accepted"].tolist() == [False, True, False, True, False]
    reasons = concluded["reason"].where(concluded["reason"].notna(), None).tolist()
    assert reasons == ["by_hand", None, "selection", None, "blank"]


def test_what_was_kept_takes_nobodys_place():
    best = filtering_options(selection={"policy": "top_k", "top_k": 1}).selection
    table = judged(blank=[True, True]).assign(by_hand=["keep", None])
    assert conclude(table, ["blank"], best)["accepted"].tolist() == [True, True]


def test_what_was_rejected_by_hand_puts_out_no_look_alike_and_what_was_kept_does():
    table = judged(blank=[True, True, False, True]).assign(by_hand=["reject", None, "keep", None])
    descriptors = describe(gray_thumbnails(10, 10, 90, 90))
    rules = ["blank", "near_duplicates"]
    concluded = conclude(judge_as_a_set(table, rules, descriptors, APART), rules, SELECTION)
    assert concluded["accepted"].tolist() == [False, True, True, False]
    assert concluded["reason"].dropna().to_dict() == {0: "by_hand", 3: "near_duplicates"}
