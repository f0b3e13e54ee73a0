"""The filter as a whole: scores real and synthetic images, sets thresholds, states what it would do to real ones."""

from typing import Any

import pandas as pd

from diffaug_pipeline.filtering.clip_scorer import ClipScorer, class_probabilities
from diffaug_pipeline.filtering.decisions import RULES, calibrate, decide, score_images
from diffaug_pipeline.filtering.options import FilteringOptions
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.synthesis.known_classes import describe_unknown, unknown_classes


def filter_images(
    synthetic_images: ImageSet, real_images: ImageSet, options: FilteringOptions
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Decisions on the synthetic images, and how the filter was calibrated.

    Where the scorer was never taught the classes its rules say nothing, so they are switched off, and that is said.
    """
    class_names = real_images.class_names
    unknown = unknown_classes(options.clip_model, class_names)
    if unknown:
        options = options.model_copy(
            update={rule: getattr(options, rule).model_copy(update={"enabled": False}) for rule in RULES}
        )
    scorer = ClipScorer(options.clip_model, options.clip_revision, options.device)
    class_features = scorer.embed_classes(class_names, options.templates)

    def scores_of(images: ImageSet, description: str) -> pd.DataFrame:
        features = scorer.embed_images(images, options.batch_size, description)
        probabilities = class_probabilities(features, class_features, scorer.logit_scale)
        return score_images(images.index, features @ class_features.T, probabilities, class_names)

    real_train = scores_of(real_images.where(split="train"), "scoring real training images")
    real_val = scores_of(real_images.where(split="val"), "scoring real validation images")
    thresholds = calibrate(real_train, options)
    decisions = decide(scores_of(synthetic_images, "scoring synthetic images"), thresholds, options)
    return decisions, {
        "clip_model": options.clip_model,
        "clip_model_revision": scorer.revision,
        "rules": {rule: getattr(options, rule).model_dump() for rule in RULES},
        "switched_off": describe_unknown(options.clip_model, unknown) if unknown else None,
        "clip_score_thresholds": thresholds.clip_score,
        "zero_shot_margin_thresholds": thresholds.zero_shot_margin,
        "accepted": _acceptance(decisions),
        "rejected_by": decisions["reason"].value_counts().to_dict(),
        "false_reject_rate_on_real_val": _rejection_rates(decide(real_val, thresholds, options)),
        "rejection_rate_on_real_train": _rejection_rates(decide(real_train, thresholds, options)),
    }


def _acceptance(decisions: pd.DataFrame) -> dict[str, dict[str, int]]:
    by_class = decisions.groupby("label")["accepted"]
    return {name: {"made": len(accepted), "accepted": int(accepted.sum())} for name, accepted in by_class}


def _rejection_rates(decided: pd.DataFrame) -> dict[str, float]:
    rates = {rule: float((~decided[f"{rule}_passes"]).mean()) for rule in RULES}
    return rates | {"any": float((~decided["accepted"]).mean())}
