"""Filter decisions: one row per synthetic image, a score and a pass column per rule, `accepted`, `reason`.

Columns: `image_id`, `label`, `clip_score` (2.5 times the cosine to the class sentence, at least 0: Hessel et al. 2021,
section 3), `clip_score_passes`, `zero_shot_class`, `zero_shot_probability` (of the own class), `zero_shot_margin`
(to the best other class), `zero_shot_passes`, `accepted`, `reason` (the first rule failed, null where accepted).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.options import FilteringOptions

CLIP_SCORE_WEIGHT = 2.5
RULES = ("clip_score", "zero_shot")


def score_images(
    index: pd.DataFrame, cosines: np.ndarray, probabilities: np.ndarray, class_names: list[str]
) -> pd.DataFrame:
    """The score columns of images with (N, C) `cosines` to, and `probabilities` of, the `class_names`."""
    rows = np.arange(len(index))
    own = index["label"].map({name: column for column, name in enumerate(class_names)}).to_numpy(dtype=int)
    others = probabilities.copy()
    others[rows, own] = -1
    return pd.DataFrame(
        {
            "image_id": index["image_id"].to_numpy(),
            "label": index["label"].to_numpy(),
            "clip_score": CLIP_SCORE_WEIGHT * cosines[rows, own].clip(0),
            "zero_shot_class": np.array(class_names)[probabilities.argmax(1)],
            "zero_shot_probability": probabilities[rows, own],
            "zero_shot_margin": probabilities[rows, own] - others.max(1),
        }
    )


@dataclass(frozen=True)
class Thresholds:
    """What an image of each class needs, set by the scores of real training images."""

    clip_score: dict[str, float]
    zero_shot_margin: dict[str, float]


def calibrate(real_train: pd.DataFrame, options: FilteringOptions) -> Thresholds:
    """Thresholds from the scores of real training images.

    CLIP score: a class with enough images has its own quantile; the others share the quantile of all distances from
    the class medians, so that their level still counts and only their spread is pooled. Margin: the quantile over the
    images that are taken for their own class, of the class or, where those are too few, of all.
    """
    by_class = real_train.groupby("label")["clip_score"]
    spread = (real_train["clip_score"] - by_class.transform("median")).quantile(options.clip_score.quantile)
    right = real_train[real_train["zero_shot_class"] == real_train["label"]]
    pooled_margin = right["zero_shot_margin"].quantile(options.zero_shot.quantile) if len(right) else 0.0
    clip_score, margin = {}, {}
    for name, scores in by_class:
        enough = len(scores) >= options.min_images_per_class
        clip_score[name] = float(scores.quantile(options.clip_score.quantile) if enough else scores.median() + spread)
        own = right.loc[right["label"] == name, "zero_shot_margin"]
        enough = len(own) >= options.min_images_per_class
        margin[name] = float(own.quantile(options.zero_shot.quantile) if enough else pooled_margin)
    return Thresholds(clip_score, margin)


def decide(scores: pd.DataFrame, thresholds: Thresholds, options: FilteringOptions) -> pd.DataFrame:
    """`scores` with the verdict of each rule, `accepted` and `reason`; a disabled rule passes every image."""
    decided = scores.copy()
    above = scores["clip_score"] >= scores["label"].map(thresholds.clip_score)
    agreeing = (scores["zero_shot_class"] == scores["label"]) & (
        scores["zero_shot_margin"] >= scores["label"].map(thresholds.zero_shot_margin)
    )
    decided["clip_score_passes"] = above | (not options.clip_score.enabled)
    decided["zero_shot_passes"] = agreeing | (not options.zero_shot.enabled)
    decided["accepted"] = decided["clip_score_passes"] & decided["zero_shot_passes"]
    decided["reason"] = None
    for rule in reversed(RULES):
        decided.loc[~decided[f"{rule}_passes"], "reason"] = rule
    return decided
