"""What the report says about the filter."""

import pytest

from diffaug_pipeline.evaluation.filter_rules import DESCRIPTIONS, describe_by_hand, tabulate_rules


@pytest.mark.parametrize(
    ("by_hand", "sentence"),
    [
        ({"thresholds": {}, "kept": 0, "rejected": 0}, None),
        ({"thresholds": {}, "kept": 1, "rejected": 0}, "1 image kept by hand."),
        ({"thresholds": {}, "kept": 2, "rejected": 3}, "2 images kept by hand; 3 images rejected by hand."),
        (
            {
                "thresholds": {"blank": {"contrast": 0.05}, "clip_score": {"clip_score": {"cat": 0.61, "dog": 0.5}}},
                "kept": 0,
                "rejected": 1,
            },
            "1 image rejected by hand; thresholds set by hand: contrast 0.05; clip_score 0.61 of cat, 0.5 of dog.",
        ),
    ],
)
def test_what_a_person_decided_is_one_sentence(by_hand, sentence):
    assert describe_by_hand({"by_hand": by_hand}) == sentence


def test_what_a_person_rejected_is_a_row_of_its_own_and_the_last():
    calibration = {
        "rules": {"blank": {}},
        "rules_switched_off": [],
        "selection": {"policy": "top_k", "cap_per_class": None},
        "failed": {"blank": 4},
        "rejected_by": {"blank": 3, "by_hand": 2, "selection": 1},
        "false_reject_rate_on_real_val": {"blank": 0.1, "any": 0.1},
    }
    rows = tabulate_rules(calibration, DESCRIPTIONS)
    assert [(row["name"], row["rejected"]) for row in rows] == [("blank", 3), ("selection", 1), ("by_hand", 2)]
    assert [row["options"] for row in rows] == ["", "policy top_k", ""]
