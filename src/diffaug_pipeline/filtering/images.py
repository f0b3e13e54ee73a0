"""The filter of labelled images as a whole: sets thresholds, judges by what is known, states what it did."""

from dataclasses import replace
from typing import Any

import pandas as pd

from diffaug_pipeline.features.features import Features
from diffaug_pipeline.filtering.by_hand import NOTHING_BY_HAND, DecidedByHand, match_by_hand
from diffaug_pipeline.filtering.calibration import (
    count_rejected,
    describe_by_hand,
    describe_rules,
    false_reject_rates,
    find_what_silences,
    without,
)
from diffaug_pipeline.filtering.decisions import conclude, judge_as_a_set, judge_in_blocks
from diffaug_pipeline.filtering.evidence import Audit, Evidence, evidence_on_images, in_blocks
from diffaug_pipeline.filtering.judging import SET_RULE, Judge
from diffaug_pipeline.filtering.options import FilteringOptions
from diffaug_pipeline.filtering.overrides import Overrides, override_thresholds
from diffaug_pipeline.filtering.rules import near_duplicates
from diffaug_pipeline.imaging.image_set import ImageSet


def filter_images(
    synthetic_images: ImageSet,
    real_images: ImageSet,
    features: Features,
    audit: Audit,
    predictions: pd.DataFrame,
    overrides: Overrides,
    options: FilteringOptions,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Decisions on the synthetic images, and how the filter was calibrated.

    `predictions` are those of classifiers that have not seen the images, read if a rule asks for them. Where the scorer
    was never taught the classes its rules are switched off, and that is said; so is what of `overrides` does not hold.
    """
    image_filter = _ImageFilter(real_images, features, predictions, overrides, options)
    by_hand = match_by_hand(synthetic_images.index, audit.copies, overrides)
    by_hand.warn()
    judged = image_filter.judge(synthetic_images, audit.copies, by_hand)
    decisions = conclude(judged, options.rules, options.selection)
    on_val = image_filter.judge(real_images.where(split="val"))
    return decisions, {
        **image_filter.describe(),
        "by_hand": describe_by_hand(overrides, by_hand, decisions),
        "accepted": _count_accepted(decisions),
        **count_rejected(decisions, options.rules),
        "per_class": {name: count_rejected(of_class, options.rules) for name, of_class in decisions.groupby("label")},
        "false_reject_rate_on_real_val": false_reject_rates(on_val, audit.calibration, options.rules),
    }


class _ImageFilter:
    """All rules, with thresholds from real training images or a person."""

    def __init__(
        self,
        real_images: ImageSet,
        features: Features,
        predictions: pd.DataFrame,
        overrides: Overrides,
        options: FilteringOptions,
    ):
        self._features, self._options = features, options
        self._predictions = predictions if options.needs_references else None
        self._silenced = find_what_silences(features.scorer, options)
        train = self._read(real_images.where(split="train"), copies=None)
        single = without([SET_RULE], options.rules)
        judge = Judge.calibrated(single, train, options, silent=self._silenced is not None)
        apart = {SET_RULE: near_duplicates.calibrate(train, options)} if SET_RULE in options.rules else {}
        self._calibrated = judge.thresholds | apart
        self._thresholds = override_thresholds(self._calibrated, overrides)
        self._judge = replace(judge, thresholds={rule: self._thresholds[rule] for rule in judge.thresholds})

    def judge(
        self, images: ImageSet, copies: pd.DataFrame | None = None, by_hand: DecidedByHand = NOTHING_BY_HAND
    ) -> pd.DataFrame:
        """Scores and verdicts of all rules, but for those about copies where `copies` is None."""
        evidence = (self._read(block, copies) for block in in_blocks(images))
        judged, descriptors = judge_in_blocks(self._judge, evidence)
        return judge_as_a_set(by_hand.attach(judged), self._options.rules, descriptors, self._thresholds)

    def describe(self) -> dict[str, Any]:
        """Rules and thresholds."""
        return {
            **describe_rules(self._options, self._features.scorer, self._silenced),
            "thresholds": self._thresholds,
            "calibrated_thresholds": self._calibrated,
        }

    def _read(self, images: ImageSet, copies: pd.DataFrame | None) -> Evidence:
        return evidence_on_images(images, self._features, copies, self._predictions)


def _count_accepted(decisions: pd.DataFrame) -> dict[str, dict[str, int]]:
    by_class = decisions.groupby("label")["accepted"]
    return {name: {"made": len(accepted), "accepted": int(accepted.sum())} for name, accepted in by_class}
