"""Which images decisions by hand are about."""

import pandas as pd
from filtering.filter_cases import overrides

from diffaug_pipeline.filtering.by_hand import DecidedByHand, match_by_hand
from diffaug_pipeline.filtering.overrides import Overrides

INDEX = pd.DataFrame({"image_id": ["a", "b", "c", "d"], "recipe": ["1", "2", "3", "4"]})
COPIES = pd.DataFrame({"image_id": ["d", "c", "b", "a"], "is_held_out_copy": [True, False, False, False]})


def match(asked: Overrides) -> DecidedByHand:
    return match_by_hand(INDEX, COPIES, asked)


def test_a_decision_holds_for_the_picture_that_was_seen():
    decided = match(overrides(keep={"a": "1", "b": "other"}, reject={"c": "3", "gone": "5"}))
    assert decided.verdicts == {"a": "keep", "c": "reject"}
    assert decided.without_image == ["b", "gone"]
    judged = decided.attach(INDEX)
    assert judged["by_hand"].dropna().to_dict() == {0: "keep", 2: "reject"}


def test_a_copy_of_a_held_out_image_can_be_rejected_but_not_kept():
    assert match(overrides(reject={"d": "4"})).verdicts == {"d": "reject"}
    decided = match(overrides(keep={"d": "4", "a": "1"}))
    assert decided.verdicts == {"a": "keep"}
    assert decided.held_out_copies == ["d"]
    assert decided.without_image == []


def test_what_does_not_hold_is_said(caplog):
    match(overrides(keep={"d": "4"} | {f"gone {number}": "0" for number in range(6)})).warn()
    assert "6 decisions by hand are about images that this run does not have" in caplog.text
    assert "gone 4 and 1 more." in caplog.text
    assert "Copies of validation or test images are never accepted, whatever the overrides say: d." in caplog.text


def test_nothing_is_said_where_all_holds(caplog):
    match(overrides(keep={"a": "1"})).warn()
    assert caplog.text == ""
