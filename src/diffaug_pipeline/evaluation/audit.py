"""The audit for copies in one line: what a reader has to know before believing a test figure."""

from typing import Any

import pandas as pd


def describe_audit(copies: pd.DataFrame, calibration: dict[str, Any], decisions: pd.DataFrame) -> str:
    """From what `auditing.copies.find_copies` found among the synthetic images, and which of them were accepted.

    That no copy of a validation or test image is trained on is seen to where training sets are made.
    """
    accepted = copies["image_id"].isin(decisions.loc[decisions["accepted"], "image_id"])
    leaked, memorised = int(copies["is_held_out_copy"].sum()), int(copies["is_train_copy"].sum())
    used = int((copies["is_train_copy"] & accepted).sum())
    alarms = calibration["held_out"]["independent_flagged_rate"]
    kept_out = ", kept out of training" if leaked else ""
    sentence = (
        f"Audit: {len(copies):,} synthetic images compared with {calibration['real_images']:,} real ones; "
        f"{leaked or 'no'} near-{_copies(leaked)} of validation or test images{kept_out}; "
        f"{memorised or 'none'} of training images"
    )
    if memorised:
        sentence += f", {used or 'none'} of them trained on"
    return sentence + (
        "." if alarms is None else f". Of independent real images it takes {100 * alarms:.1f} % for copies."
    )


def _copies(number: int) -> str:
    return "copy" if number == 1 else "copies"
