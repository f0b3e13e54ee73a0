"""The filter of labelled images as a whole: sets thresholds, judges by what is known, states what it did."""

from typing import Any

import pandas as pd

from diffaug_pipeline.features.features import Features
from diffaug_pipeline.filtering.calibration import (
    count_rejected,
    describe_rules,
    false_reject_rates,
    find_what_silences,
    without,
)
from diffaug_pipeline.filtering.decisions import conclude, judge_as_a_set, judge_in_blocks
from diffaug_pipeline.filtering.evidence import Evidence, evidence_on_images, in_blocks
from diffaug_pipeline.filtering.judging import SET_RULE, Judge
from diffaug_pipeline.filtering.options import FilteringOptions
from diffaug_pipeline.filtering.rules import near_duplicates
from diffaug_pipeline.imaging.image_set import ImageSet


def filter_images(
    synthetic_images: ImageSet,
    real_images: ImageSet,
    features: Features,
    copies: pd.DataFrame,
    copy_calibration: dict[str, Any],
    predictions: pd.DataFrame,
    options: FilteringOptions,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Decisions on the synthetic images, and how the filter was calibrated.

    `copies` and `copy_calibration` are the audit's, `predictions` those of classifiers that have not seen the images;
    they are read if a rule asks for them. Where the scorer was never taught the classes its rules are switched off,
    and that is said.
    """
    image_filter = _ImageFilter(real_images, features, predictions, options)
    decisions = conclude(image_filter.judge(synthetic_images, copies), options.rules, options.selection)
    on_val = image_filter.judge(real_images.where(split="val"))
    return decisions, {
        **image_filter.describe(),
        "accepted": _count_accepted(decisions),
        **count_rejected(decisions, options.rules),
        "per_class": {name: count_rejected(of_class, options.rules) for name, of_class in decisions.groupby("label")},
        "false_reject_rate_on_real_val": false_reject_rates(on_val, copy_calibration, options.rules),
    }


class _ImageFilter:
    """All rules, with thresholds from real training images."""

    def __init__(self, real_images: ImageSet, features: Features, predictions: pd.DataFrame, options: FilteringOptions):
        self._features, self._options = features, options
        self._predictions = predictions if options.needs_references else None
        self._silenced = find_what_silences(features.scorer, options)
        train = self._read(real_images.where(split="train"), copies=None)
        single = without([SET_RULE], options.rules)
        self._judge = Judge.calibrated(single, train, options, silent=self._silenced is not None)
        self._apart = near_duplicates.calibrate(train, options) if SET_RULE in options.rules else {}

    def judge(self, images: ImageSet, copies: pd.DataFrame | None = None) -> pd.DataFrame:
        """Scores and verdicts of all rules, but for those about copies where `copies` is None."""
        evidence = (self._read(block, copies) for block in in_blocks(images))
        judged, descriptors = judge_in_blocks(self._judge, evidence)
        return judge_as_a_set(judged, self._options.rules, descriptors, self._apart) if self._apart else judged

    def describe(self) -> dict[str, Any]:
        """See `describe_rules`."""
        thresholds = {**self._judge.thresholds, SET_RULE: self._apart}
        return describe_rules(self._options, thresholds, self._features.scorer, self._silenced)

    def _read(self, images: ImageSet, copies: pd.DataFrame | None) -> Evidence:
        return evidence_on_images(images, self._features, copies, self._predictions)


def _count_accepted(decisions: pd.DataFrame) -> dict[str, dict[str, int]]:
    by_class = decisions.groupby("label")["accepted"]
    return {name: {"made": len(accepted), "accepted": int(accepted.sum())} for name, accepted in by_class}
