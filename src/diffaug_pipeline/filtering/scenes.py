"""The filter of scenes with boxes: every box has to pass every rule about boxes, and the scene those about scenes.

Box scores have one row per box that counts: `image_id`, `box`, `label`, `unchanged` (share of its pixels that are the
source's), `judged`, the score columns of the rules about boxes on its crop, `clip_percentile` (of `clip_score` among
real training crops of the class, in [0, 1]), and whether it passes each of these rules.

Decisions are those of `filtering.decisions`; a rule about boxes has one score column of its own name, the worst over
the judged boxes (of `clip_score` the percentile, of `zero_shot` the margin). A scene without judged boxes has none, and
passes these rules.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.features.crops import list_boxes
from diffaug_pipeline.features.features import Features
from diffaug_pipeline.filtering.by_hand import NOTHING_BY_HAND, DecidedByHand, match_by_hand
from diffaug_pipeline.filtering.calibration import (
    count_failures,
    count_rejected,
    describe_by_hand,
    describe_rules,
    false_reject_rates,
    find_what_silences,
    mean_or_none,
    without,
)
from diffaug_pipeline.filtering.crops import unchanged_shares
from diffaug_pipeline.filtering.decisions import conclude, judge_as_a_set, judge_in_blocks, passing
from diffaug_pipeline.filtering.evidence import Audit, evidence_on_boxes, evidence_on_scenes, in_blocks
from diffaug_pipeline.filtering.judging import SET_RULE, Judge
from diffaug_pipeline.filtering.options import DetectionFilteringOptions
from diffaug_pipeline.filtering.overrides import Overrides, override_thresholds
from diffaug_pipeline.filtering.rules import near_duplicates
from diffaug_pipeline.imaging.image_set import ImageSet

SCORE_OF = {"clip_score": "clip_percentile", "zero_shot": "zero_shot_margin", "detector_agreement": "detector_iou"}
"""The score that counts of each rule about boxes; the other rules are about scenes."""


def filter_scenes(
    synthetic_images: ImageSet,
    real_images: ImageSet,
    features: Features,
    audit: Audit,
    detections: pd.DataFrame,
    overrides: Overrides,
    options: DetectionFilteringOptions,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Decisions on scenes, scores of their boxes, and how the filter was calibrated.

    `detections` are those of the reference detectors on the scenes and on the real validation images. Where the scorer
    was never taught the classes its rules are switched off, and that is said; so is what of `overrides` does not hold.
    """
    scene_filter = _SceneFilter(real_images, features, detections, overrides, options)
    scores = scene_filter.score_boxes(synthetic_images)
    by_hand = match_by_hand(synthetic_images.index, audit.copies, overrides)
    by_hand.warn()
    judged = scene_filter.judge(synthetic_images, scores, audit.copies, by_hand)
    decisions = conclude(judged, options.rules, options.selection)
    validation = real_images.where(split="val")
    val_scores = scene_filter.score_real_boxes(validation)
    on_val = scene_filter.judge(validation, val_scores)
    box_rules = rules_about_boxes(options.rules)
    return (
        decisions,
        scores,
        {
            **scene_filter.describe(),
            "by_hand": describe_by_hand(overrides, by_hand, decisions),
            "made": len(decisions),
            "accepted": int(decisions["accepted"].sum()),
            **count_rejected(decisions, options.rules),
            "boxes_not_judged": int((~scores["judged"]).sum()),
            "per_class": _count_boxes(scores[scores["judged"]], box_rules),
            "false_reject_rate_on_real_val": false_reject_rates(on_val, audit.calibration, options.rules)
            | _box_rates(val_scores, box_rules),
            "zero_shot_accuracy_on_real_val_boxes": mean_or_none(val_scores["zero_shot_class"] == val_scores["label"]),
        },
    )


class _SceneFilter:
    """All rules, with thresholds from real training images and their crops, or from a person."""

    def __init__(
        self,
        real_images: ImageSet,
        features: Features,
        detections: pd.DataFrame,
        overrides: Overrides,
        options: DetectionFilteringOptions,
    ):
        self._real, self._features, self._options = real_images, features, options
        self._detections = dict(zip(detections["image_id"], detections["boxes"], strict=True))
        self._silenced = find_what_silences(features.scorer, options)
        train, silent = real_images.where(split="train"), self._silenced is not None
        scenes = evidence_on_scenes(train, features, None, self._detections)
        crops = evidence_on_boxes(train, list_boxes(train), features, self._detections)
        about_scenes = without([*SCORE_OF, SET_RULE], options.rules)
        scene_judge = Judge.calibrated(about_scenes, scenes, options, silent=silent)
        box_judge = Judge.calibrated(rules_about_boxes(options.rules), crops, options, silent=silent)
        apart = {SET_RULE: near_duplicates.calibrate(scenes, options)} if SET_RULE in options.rules else {}
        self._calibrated = scene_judge.thresholds | box_judge.thresholds | apart
        self._thresholds = override_thresholds(self._calibrated, overrides)
        self._scene_judge, self._box_judge = (
            replace(judge, thresholds={rule: self._thresholds[rule] for rule in judge.thresholds})
            for judge in (scene_judge, box_judge)
        )
        self._real_train = self._box_judge.judge(crops)

    def score_boxes(self, scenes: ImageSet) -> pd.DataFrame:
        """Box scores of synthetic scenes; boxes with a person's label are not judged."""
        return pd.concat(map(self._score_boxes, in_blocks(scenes)), ignore_index=True)

    def _score_boxes(self, scenes: ImageSet) -> pd.DataFrame:
        table = list_boxes(scenes)
        unchanged = unchanged_shares(scenes, self._real, table)
        judged = unchanged < self._options.unchanged_share
        scored = self._score(scenes, table[judged].reset_index(drop=True))
        whole = table.assign(unchanged=unchanged, judged=judged)
        scored = whole.merge(scored, on=["image_id", "box", "label"], how="left", validate="one_to_one")
        for rule in self._box_judge.rules:
            scored[f"{rule}_passes"] = scored[f"{rule}_passes"].eq(True) | ~scored["judged"]
        return scored

    def score_real_boxes(self, images: ImageSet) -> pd.DataFrame:
        """Box scores of real images, every box judged."""
        return self._score(images, list_boxes(images)).assign(judged=True)

    def _score(self, images: ImageSet, table: pd.DataFrame) -> pd.DataFrame:
        scores = self._box_judge.judge(evidence_on_boxes(images, table, self._features, self._detections))
        scores["clip_percentile"] = percentiles(scores, self._real_train)
        return scores

    def judge(
        self,
        images: ImageSet,
        scores: pd.DataFrame,
        copies: pd.DataFrame | None = None,
        by_hand: DecidedByHand = NOTHING_BY_HAND,
    ) -> pd.DataFrame:
        """Scores and verdicts of all rules on the images, given the scores of their boxes.

        Without those about copies where `copies` is None.
        """
        evidence = (evidence_on_scenes(block, self._features, copies, self._detections) for block in in_blocks(images))
        judged, descriptors = judge_in_blocks(self._scene_judge, evidence)
        by_image = scores[scores["judged"]].groupby("image_id")
        worst = {rule: judged["image_id"].map(by_image[SCORE_OF[rule]].min()) for rule in self._box_judge.thresholds}
        judged = add_verdicts_of_boxes(judged.assign(**worst), scores, self._box_judge.rules)
        return judge_as_a_set(by_hand.attach(judged), self._options.rules, descriptors, self._thresholds)

    def describe(self) -> dict[str, Any]:
        """Rules and thresholds."""
        return {
            **describe_rules(self._options, self._features.scorer, self._silenced),
            "thresholds": self._thresholds,
            "calibrated_thresholds": self._calibrated,
        }


def rules_about_boxes(rules: Sequence[str]) -> list[str]:
    """Those that judge a scene by its boxes."""
    return [rule for rule in rules if rule in SCORE_OF]


def add_verdicts_of_boxes(judged: pd.DataFrame, scores: pd.DataFrame, rules: Sequence[str]) -> pd.DataFrame:
    """Scenes with what `rules` about boxes say of them, by the verdicts in box `scores`."""
    passes = {}
    for rule in rules:
        failed = scores.loc[scores["judged"] & ~scores[f"{rule}_passes"].astype(bool), "image_id"]
        passes[f"{rule}_passes"] = ~judged["image_id"].isin(failed)
    return judged.assign(**passes)


def percentiles(scores: pd.DataFrame, reference: pd.DataFrame) -> np.ndarray:
    """(N,) share of the `reference` crops of the class whose CLIP score is no higher, in [0, 1]."""
    shares = np.zeros(len(scores))
    for name, rows in scores.groupby("label").indices.items():
        ordered = np.sort(reference.loc[reference["label"] == name, "clip_score"].to_numpy())
        ranks = np.searchsorted(ordered, scores["clip_score"].to_numpy()[rows], side="right")
        shares[rows] = ranks / max(1, len(ordered))
    return shares


def _count_boxes(judged: pd.DataFrame, rules: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By class: the judged boxes, those that pass all rules about boxes, and those that fail each."""
    return {
        name: {
            "boxes": len(of_class),
            "accepted": int(passing(of_class, rules).sum()),
            "failed": count_failures(of_class, rules),
        }
        for name, of_class in judged.groupby("label")
    }


def _box_rates(scores: pd.DataFrame, rules: Sequence[str]) -> dict[str, float | None]:
    """Share of real boxes that fail each rule about boxes, and `any` of those."""
    rates = {rule: mean_or_none(~scores[f"{rule}_passes"]) for rule in rules}
    return rates | {"any": mean_or_none(~passing(scores, rules))}
