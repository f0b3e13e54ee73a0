"""Filter decisions: one row per synthetic image, a score and a pass column per rule, `accepted`, `reason`.

Columns: `image_id`, `label`, `clip_score` (2.5 times the cosine to the class sentence, at least 0: Hessel et al. 2021,
section 3), `clip_score_passes`, `zero_shot_class`, `zero_shot_probability` (of the own class), `zero_shot_margin`
(to the best other class), `zero_shot_passes`, `accepted`, `reason` (the first rule failed, null where accepted).
"""

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.options import ClipScoreRule, FilteringOptions

CLIP_SCORE_WEIGHT = 2.5
RULES = ("clip_score", "zero_shot")


def score_images(
    index: pd.DataFrame, cosines: np.ndarray, probabilities: np.ndarray, class_names: list[str]
) -> pd.DataFrame:
    """The score columns of images with (N, C) `cosines` to, and `probabilities` of, the `class_names`."""
    rows = np.arange(len(index))
    own = index["label"].map({name: column for column, name in enumerate(class_names)}).to_numpy()
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


def clip_score_thresholds(real_train: pd.DataFrame, rule: ClipScoreRule) -> dict[str, float]:
    """The least CLIP score per class, from the scores of real training images.

    A class with enough images has its own quantile. The others share the quantile of their distances from the class
    median: their level still counts, their spread is pooled.
    """
    by_class = real_train.groupby("label")["clip_score"]
    centred = real_train["clip_score"] - by_class.transform("median")
    pooled = centred.quantile(rule.quantile)
    return {
        name: float(
            scores.quantile(rule.quantile) if len(scores) >= rule.min_images_per_class else scores.median() + pooled
        )
        for name, scores in by_class
    }


def decide(scores: pd.DataFrame, thresholds: dict[str, float], options: FilteringOptions) -> pd.DataFrame:
    """`scores` with the verdict of each rule, `accepted` and `reason`; a disabled rule passes every image."""
    decided = scores.copy()
    above = scores["clip_score"] >= scores["label"].map(thresholds)
    agreeing = (scores["zero_shot_class"] == scores["label"]) & (
        scores["zero_shot_margin"] >= options.zero_shot.min_margin
    )
    decided["clip_score_passes"] = above | (not options.clip_score.enabled)
    decided["zero_shot_passes"] = agreeing | (not options.zero_shot.enabled)
    decided["accepted"] = decided["clip_score_passes"] & decided["zero_shot_passes"]
    decided["reason"] = None
    for rule in reversed(RULES):
        decided.loc[~decided[f"{rule}_passes"], "reason"] = rule
    return decided
