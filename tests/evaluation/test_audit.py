import pandas as pd

from diffaug_pipeline.evaluation.audit import describe_audit


def copies(leaked: list[bool], memorised: list[bool]) -> pd.DataFrame:
    ids = [f"s{number}" for number in range(len(leaked))]
    return pd.DataFrame({"image_id": ids, "is_held_out_copy": leaked, "is_train_copy": memorised})


def decisions(accepted: list[bool]) -> pd.DataFrame:
    return pd.DataFrame({"image_id": [f"s{number}" for number in range(len(accepted))], "accepted": accepted})


def calibration(rate: float | None) -> dict:
    return {"real_images": 1_200, "held_out": {"independent_flagged_rate": rate}}


def test_the_audit_is_one_line():
    found = copies([True, False, False, False], [False, True, True, False])
    assert describe_audit(found, calibration(0.005), decisions([False, True, False, True])) == (
        "Audit: 4 synthetic images compared with 1,200 real ones; 1 near-copy of validation or test images, kept out "
        "of training; 2 of training images, 1 of them trained on. Of independent real images it takes 0.5 % for copies."
    )


def test_where_nothing_is_found_it_says_so():
    found = copies([False, False], [False, False])
    assert describe_audit(found, calibration(None), decisions([True, True])) == (
        "Audit: 2 synthetic images compared with 1,200 real ones; no near-copies of validation or test images; none of "
        "training images."
    )
