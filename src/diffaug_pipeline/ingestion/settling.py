"""From pictures that decode to those that are used: look-alikes, splits, copies, limits. All tasks share it."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.formats.source import Listing
from diffaug_pipeline.imaging.image_set import target_of
from diffaug_pipeline.ingestion.options import ReadingOptions, SplitLimits
from diffaug_pipeline.ingestion.splits import assign_splits, near_duplicate_groups, within_limits

LOOK_ALIKES_NAMED = 50


def settle(
    pictures: pd.DataFrame, refused: dict[str, str], listing: Listing, limits: SplitLimits, options: ReadingOptions
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The pictures that stay, each with a split, and the part of the report that all tasks share."""
    groups = near_duplicate_groups(np.stack(pictures["thumbnail"]), options.near_duplicate_distance)
    pictures = pictures.drop(columns="thumbnail").assign(group=groups)
    pictures["split"], splits = assign_splits(pictures, options.split_shares, options.seed)
    repeated = _exact_repeats(pictures)
    pictures = pictures[~pictures["image_id"].isin(repeated)]
    kept = pictures[within_limits(pictures, limits, options.seed)]
    handled = Counter(note for notes in kept["notes"] for note in notes)
    handled.update(listing.notes)
    return kept.sort_values("image_id").reset_index(drop=True), {
        "dataset": options.dataset,
        "format": listing.format,
        "splits": splits,
        "found": len(listing.candidates) + len(listing.refused),
        "used": len(kept),
        "left_out_by_limit": len(pictures) - len(kept),
        "refused": refused | repeated,
        "handled": dict(handled),
        "near_duplicates_across_splits": _near_duplicates_across_splits(kept),
    }


def _exact_repeats(pictures: pd.DataFrame) -> dict[str, str]:
    """Copies to leave out: of equal files the one in the most precious split stays; with two labels none does."""
    refused = {}
    target = target_of(pictures)
    precious = pictures["split"].map({"test": 0, "val": 1, "train": 2})
    for _, copies in pictures.assign(order=precious).sort_values(["order", "image_id"]).groupby("sha256"):
        if len(copies) == 1:
            continue
        first, others = copies.iloc[0], copies["image_id"].iloc[1:]
        if copies[target].map(_key).nunique() > 1:
            refused |= dict.fromkeys(copies["image_id"], _contradiction(copies))
        else:
            refused |= dict.fromkeys(others, f"the same file as {first['image_id']} ({first['split']})")
    return refused


def _contradiction(copies: pd.DataFrame) -> str:
    if target_of(copies) == "label":
        labels = " and ".join(repr(label) for label in sorted(copies["label"].unique()))
        return f"the same file is labelled {labels}"
    return f"the same file has different boxes as {' and '.join(sorted(copies['image_id'])[:3])}"


def _key(target: str | list[dict[str, Any]]) -> str:
    """Equal for equal labels, and for equal boxes in any order."""
    if isinstance(target, str):
        return target
    return json.dumps(
        sorted([box["label"], [round(value, 2) for value in box["xyxy"]], box["ignored"]] for box in target)
    )


def _near_duplicates_across_splits(pictures: pd.DataFrame) -> dict[str, Any]:
    """How many groups of look-alikes the dataset's own splits tear apart, and the first of them."""
    splits = pictures.groupby("group")["split"].transform("nunique")
    torn = [of_group["image_id"].tolist() for _, of_group in pictures[splits > 1].groupby("group")]
    return {"groups": len(torn), "examples": torn[:LOOK_ALIKES_NAMED]}
