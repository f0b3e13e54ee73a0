"""The filter's rules as a reader of the report sees them: what each rejects, how often, and with which scores."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from diffaug_pipeline.filtering.decisions import BY_HAND, SELECTION
from diffaug_pipeline.imaging.image_set import ImageSet

DESCRIPTIONS = {
    "leakage": "a near-copy of a validation or test image",
    "blank": "hardly anything on it, or nothing but black and white",
    "clip_score": "fits its class sentence worse than real training images do",
    "zero_shot": "looks like another class to the scorer, or less clearly like its own than real ones do",
    "memorisation": "a near-copy of a training image other than its source",
    "task_model": "classifiers trained on other real images are sure that it is of another class",
    "near_duplicates": "hardly differs from a synthetic image with a better score",
    SELECTION: "passes all rules, but better ones were taken",
    BY_HAND: "a person has looked at it and rejected it",
}
SCENE_DESCRIPTIONS = DESCRIPTIONS | {
    "clip_score": "a box fits its class sentence worse than crops of real objects do",
    "zero_shot": "a box looks like another class to the scorer, or less clearly like its own than real ones do",
    "detector_agreement": "an independent detector does not confirm a box",
    "undeclared_objects": "an independent detector is sure of objects that no box explains",
}
SCORES = {
    "leakage": ("held_out_distance", "{:.3f} from a held-out image"),
    "blank": ("contrast", "contrast {:.2f}"),
    "memorisation": ("train_distance", "{:.3f} from a training image"),
    "task_model": ("task_model_probability", "task model {:.2f}"),
    "near_duplicates": ("near_duplicate_distance", "{:.3f} from a better one"),
}
"""By rule about whole images: the score column shown, and how; rules about classes and boxes are the tasks' own."""


def tabulate_rules(calibration: Mapping[str, Any], descriptions: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row per rule in their order; then `selection` and `by_hand` where they took away anything."""
    rates, silenced = calibration["false_reject_rate_on_real_val"], calibration["rules_switched_off"]
    rows = [
        {
            "name": rule,
            "description": descriptions[rule],
            "options": ", ".join(f"{name} {value}" for name, value in options.items()),
            "switched_off": rule in silenced,
            "failed": calibration["failed"][rule],
            "rejected": calibration["rejected_by"].get(rule, 0),
            "false_reject_rate": rates[rule],
        }
        for rule, options in calibration["rules"].items()
    ]
    options = ", ".join(f"{name} {value}" for name, value in calibration["selection"].items() if value is not None)
    for reason, chosen_by in ((SELECTION, options), (BY_HAND, "")):
        if taken_away := calibration["rejected_by"].get(reason, 0):
            rows.append(
                {
                    "name": reason,
                    "description": descriptions[reason],
                    "options": chosen_by,
                    "switched_off": False,
                    "failed": taken_away,
                    "rejected": taken_away,
                    "false_reject_rate": None,
                }
            )
    return rows


def describe_by_hand(calibration: Mapping[str, Any]) -> str | None:
    """What a person decided, in one sentence; None where all was left to the rules."""
    by_hand = calibration["by_hand"]
    parts = [
        f"{by_hand[verdict]} {'image' if by_hand[verdict] == 1 else 'images'} {verdict} by hand"
        for verdict in ("kept", "rejected")
        if by_hand[verdict]
    ]
    columns = [
        f"{column} {_in_words(needed)}"
        for of_rule in by_hand["thresholds"].values()
        for column, needed in of_rule.items()
    ]
    if columns:
        parts.append(f"{'threshold' if len(columns) == 1 else 'thresholds'} set by hand: {'; '.join(columns)}")
    return f"{'; '.join(parts)}." if parts else None


def _in_words(needed: float | Mapping[str, float]) -> str:
    if not isinstance(needed, Mapping):
        return f"{needed:.3g}"
    return ", ".join(f"{value:.3g} of {name}" for name, value in needed.items())


def against_random(comparison: Mapping[str, Any]) -> dict[str, Any] | None:
    """The filter's gain over a random choice of as many images; None in runs without that control."""
    for other in comparison["other_comparisons"]:
        if (other["arm"], other["minus"]) == ("augmented", "random_filtered"):
            return other
    return None


def caption_score(row: Mapping[str, Any], rule: str | None) -> str:
    """The score of `rule` in a row of the decisions, in words; empty for rules that the tasks caption themselves."""
    column, words = SCORES.get(rule, (None, ""))
    return words.format(row[column]) if column is not None and pd.notna(row[column]) else ""


def nearest_real(copies: pd.DataFrame, real_images: ImageSet) -> Mapping[str, str]:
    """By synthetic image, the real one it is nearest to: the held-out one it copies, else a training image."""
    leaked = copies["nearest_held_out_image_id"].where(copies["is_held_out_copy"])
    nearest = leaked.fillna(copies["nearest_train_image_id"])
    known = nearest.isin(real_images.index["image_id"])
    return dict(zip(copies.loc[known, "image_id"], nearest[known], strict=True))
