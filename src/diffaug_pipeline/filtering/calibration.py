"""How a filter was set, and what it does to images: what both tasks say of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.features.features import FeatureSpace
from diffaug_pipeline.filtering.by_hand import DecidedByHand
from diffaug_pipeline.filtering.decisions import BY_HAND, KEEP, REJECT, passing
from diffaug_pipeline.filtering.judging import COPY_RULES, SCORER_RULES
from diffaug_pipeline.filtering.options import DetectionFilteringOptions, FilteringOptions
from diffaug_pipeline.filtering.overrides import Overrides
from diffaug_pipeline.synthesis.known_classes import describe_unknown, unknown_classes

AUDIT_OF = {"leakage": "held_out", "memorisation": "train"}
"""What the audit calls the images that each rule is about."""


def find_what_silences(scorer: FeatureSpace, options: FilteringOptions | DetectionFilteringOptions) -> str | None:
    """Why the scorer's rules cannot be asked, in one sentence; None if they can.

    Raises `ParameterError` if its scores are to select images nevertheless.
    """
    unknown = unknown_classes(scorer.model, scorer.class_names)
    if not unknown:
        return None
    sentence = describe_unknown(scorer.model, unknown)
    if options.selection.ranks:
        raise ParameterError(
            f"filtering.selection ranks by {options.selection.score}, but: {sentence} Choose a features.scorer.model "
            "that knows them, or take all that pass (policy: threshold, no cap)."
        )
    return sentence


def describe_rules(
    options: FilteringOptions | DetectionFilteringOptions, scorer: FeatureSpace, silenced: str | None
) -> dict[str, Any]:
    """Rules in their order with their options, and those that were silenced."""
    blocks = options.model_dump()
    return {
        "scorer": scorer.model,
        "scorer_revision": scorer.model_revision,
        "rules": {rule: blocks.get(rule, {}) for rule in options.rules},
        "rules_switched_off": [rule for rule in options.rules if silenced and rule in SCORER_RULES],
        "switched_off": silenced,
        "selection": blocks["selection"],
    }


def describe_by_hand(overrides: Overrides, decided: DecidedByHand, judged: pd.DataFrame) -> dict[str, Any]:
    """The thresholds set by hand, by rule and score column, and how many images were kept and rejected by hand."""
    return {
        "thresholds": overrides.as_document()["thresholds"],
        "kept": int(judged[BY_HAND].eq(KEEP).sum()),
        "rejected": int(judged[BY_HAND].eq(REJECT).sum()),
        "without_image": len(decided.without_image),
        "held_out_copies": len(decided.held_out_copies),
    }


def count_rejected(decisions: pd.DataFrame, rules: Sequence[str]) -> dict[str, Any]:
    """`rejected_by`, each image counted for the first rule it fails, and `failed`, for every one."""
    return {"rejected_by": decisions["reason"].value_counts().to_dict(), "failed": count_failures(decisions, rules)}


def count_failures(judged: pd.DataFrame, rules: Sequence[str]) -> dict[str, int]:
    """How many rows fail each rule, whatever the others say."""
    return {rule: int((~judged[f"{rule}_passes"]).sum()) for rule in rules}


def false_reject_rates(
    on_val: pd.DataFrame, copy_calibration: Mapping[str, Any], rules: Sequence[str]
) -> dict[str, float | None]:
    """Share of real validation images that each rule rejects, and `any` of those that judge them; None without images.

    Of rules about copies it is how often the audit takes independent real images for some.
    """
    rates = {
        rule: copy_calibration[AUDIT_OF[rule]]["independent_flagged_rate"]
        if rule in COPY_RULES
        else mean_or_none(~on_val[f"{rule}_passes"])
        for rule in rules
    }
    return rates | {"any": mean_or_none(~passing(on_val, without(COPY_RULES, rules)))}


def mean_or_none(values: pd.Series | np.ndarray) -> float | None:
    """The mean; None of nothing."""
    return float(values.mean()) if len(values) else None


def without(excluded: Sequence[str], rules: Sequence[str]) -> list[str]:
    """The other rules."""
    return [rule for rule in rules if rule not in excluded]
