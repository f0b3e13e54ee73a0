"""The filter of scenes with boxes: every box has to pass every rule, and none may be missing.

Box scores have one row per box that counts: `image_id`, `box`, `label`, `unchanged` (share of its pixels that are the
source's), `judged`, the columns of `filtering.decisions` on its crop, `clip_percentile` (of `clip_score` among real
training crops of the class, in [0, 1]), `detector_iou`, and whether it passes each rule.

Decisions have one row per scene: for each rule its worst score over the judged boxes and whether all pass, `accepted`,
`reason` (the first rule failed). A scene without judged boxes passes the rules about boxes.
"""

from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.clip_scorer import ClipScorer, class_probabilities
from diffaug_pipeline.filtering.crops import Crops, list_boxes, unchanged_shares
from diffaug_pipeline.filtering.decisions import Thresholds, calibrate, decide, score_images
from diffaug_pipeline.filtering.options import DetectionFilteringOptions
from diffaug_pipeline.filtering.second_opinion import confirmed_ious, count_undeclared
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.synthesis.known_classes import describe_unknown, unknown_classes

CLIP_RULES = ("clip_score", "zero_shot")
BOX_RULES = (*CLIP_RULES, "detector_agreement")
RULES = (*BOX_RULES, "undeclared_objects")
SCORE_OF = {"clip_score": "clip_percentile", "zero_shot": "zero_shot_margin", "detector_agreement": "detector_iou"}


def filter_scenes(
    synthetic_images: ImageSet, real_images: ImageSet, detections: pd.DataFrame, options: DetectionFilteringOptions
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Decisions on scenes, scores of their boxes, and how the filter was calibrated.

    `detections` are those of the reference detectors on the scenes and on the real validation images. Where CLIP was
    never taught the classes its rules are switched off, and that is said.
    """
    unknown = unknown_classes(options.clip_model, real_images.class_names)
    if unknown:
        off = {rule: getattr(options, rule).model_copy(update={"enabled": False}) for rule in CLIP_RULES}
        options = options.model_copy(update=off)
    judge = SceneJudge(real_images, detections, options)
    scores = judge.score_boxes(synthetic_images)
    decisions = judge.decide(synthetic_images, scores)
    validation = real_images.where(split="val")
    val_scores = judge.score_real_boxes(validation)
    val_decisions = judge.decide(validation, val_scores)
    judged = scores[scores["judged"]]
    passes = judged[[f"{rule}_passes" for rule in BOX_RULES]].all(axis=1)
    return (
        decisions,
        scores,
        {
            "clip_model": options.clip_model,
            "clip_model_revision": judge.revision,
            "rules": {rule: getattr(options, rule).model_dump() for rule in RULES},
            "switched_off": describe_unknown(options.clip_model, unknown) if unknown else None,
            "clip_score_thresholds": judge.thresholds.clip_score,
            "zero_shot_margin_thresholds": judge.thresholds.zero_shot_margin,
            "made": len(decisions),
            "accepted": int(decisions["accepted"].sum()),
            "rejected_by": decisions["reason"].value_counts().to_dict(),
            "boxes_not_judged": int((~scores["judged"]).sum()),
            "per_class": {
                name: {"boxes": len(of_class), "accepted": int(of_class.sum())}
                for name, of_class in passes.groupby(judged["label"])
            },
            "false_reject_rate_on_real_val": _rejection_rates(val_scores, val_decisions),
            "zero_shot_accuracy_on_real_val_boxes": _accuracy(val_scores),
        },
    )


class SceneJudge:
    """Thresholds from real training crops, applied to any image set with boxes."""

    def __init__(self, real_images: ImageSet, detections: pd.DataFrame, options: DetectionFilteringOptions):
        self._real, self._options = real_images, options
        self._detections = dict(zip(detections["image_id"], detections["boxes"], strict=True))
        self._class_names = real_images.class_names
        self._scorer = ClipScorer(options.clip_model, options.clip_revision, options.device)
        self._class_features = self._scorer.embed_classes(self._class_names, options.templates)
        self.revision = self._scorer.revision
        train = real_images.where(split="train")
        self._real_train = self._clip_scores(train, list_boxes(train), "scoring real training boxes")
        self.thresholds: Thresholds = calibrate(self._real_train, options)

    def score_boxes(self, scenes: ImageSet) -> pd.DataFrame:
        """Box scores of synthetic scenes; boxes with a person's label are not judged."""
        table = list_boxes(scenes)
        unchanged = unchanged_shares(scenes, self._real, table)
        judged = unchanged < self._options.unchanged_share
        scored = self._score(scenes, table[judged].reset_index(drop=True), "scoring synthetic boxes")
        whole = table.assign(unchanged=unchanged, judged=judged)
        scored = whole.merge(scored, on=["image_id", "box", "label"], how="left", validate="one_to_one")
        for rule in BOX_RULES:
            scored[f"{rule}_passes"] = scored[f"{rule}_passes"].eq(True) | ~scored["judged"]
        return scored

    def score_real_boxes(self, images: ImageSet) -> pd.DataFrame:
        """Box scores of real images, every box judged."""
        return self._score(images, list_boxes(images), "scoring real validation boxes").assign(judged=True)

    def decide(self, images: ImageSet, scores: pd.DataFrame) -> pd.DataFrame:
        """Decisions on the images from the scores of their boxes."""
        judged, options = scores[scores["judged"]], self._options
        decided = pd.DataFrame({"image_id": images.index["image_id"]})
        for rule in BOX_RULES:
            decided[rule] = decided["image_id"].map(judged.groupby("image_id")[SCORE_OF[rule]].min())
            failed = judged.loc[~judged[f"{rule}_passes"], "image_id"]
            decided[f"{rule}_passes"] = ~decided["image_id"].isin(failed)
        rule = options.undeclared_objects
        decided["undeclared_objects"] = count_undeclared(images, self._detections, rule)
        decided["undeclared_objects_passes"] = (decided["undeclared_objects"] == 0) | (not rule.enabled)
        decided["accepted"] = decided[[f"{rule}_passes" for rule in RULES]].all(axis=1)
        decided["reason"] = None
        for name in reversed(RULES):
            decided.loc[~decided[f"{name}_passes"], "reason"] = name
        return decided

    def _score(self, images: ImageSet, table: pd.DataFrame, description: str) -> pd.DataFrame:
        scores = decide(self._clip_scores(images, table, description), self.thresholds, self._options)
        scores["clip_percentile"] = percentiles(scores, self._real_train)
        rule = self._options.detector_agreement
        scores["detector_iou"] = confirmed_ious(images, table, self._detections, rule)
        scores["detector_agreement_passes"] = (scores["detector_iou"] >= rule.iou) | (not rule.enabled)
        return scores.drop(columns=["accepted", "reason"])

    def _clip_scores(self, images: ImageSet, table: pd.DataFrame, description: str) -> pd.DataFrame:
        crops = Crops(images, table, self._options.crop_context)
        features = self._scorer.embed_images(crops, self._options.batch_size, description)
        probabilities = class_probabilities(features, self._class_features, self._scorer.logit_scale)
        scores = score_images(table, features @ self._class_features.T, probabilities, self._class_names)
        scores.insert(1, "box", table["box"].to_numpy())
        return scores


def percentiles(scores: pd.DataFrame, reference: pd.DataFrame) -> np.ndarray:
    """(N,) share of the `reference` crops of the class whose CLIP score is no higher, in [0, 1]."""
    shares = np.zeros(len(scores))
    for name, rows in scores.groupby("label").indices.items():
        ordered = np.sort(reference.loc[reference["label"] == name, "clip_score"].to_numpy())
        ranks = np.searchsorted(ordered, scores["clip_score"].to_numpy()[rows], side="right")
        shares[rows] = ranks / max(1, len(ordered))
    return shares


def _rejection_rates(scores: pd.DataFrame, decisions: pd.DataFrame) -> dict[str, float]:
    """Share of real boxes that fail each rule, or `any` of them; for undeclared objects, share of images."""
    passes = scores[[f"{rule}_passes" for rule in BOX_RULES]]
    by_rule = {rule: float((~scores[f"{rule}_passes"]).mean()) for rule in BOX_RULES}
    undeclared = float((~decisions["undeclared_objects_passes"]).mean())
    return by_rule | {"undeclared_objects": undeclared, "any": float((~passes.all(axis=1)).mean())}


def _accuracy(scores: pd.DataFrame) -> float:
    return float((scores["zero_shot_class"] == scores["label"]).mean())
