"""The study's document: doses on validation images, the one to use, its confirmation, and what it is worth.

`doses`, one per ratio, hold the metric on validation images and the `gain` over ratio 0; `learning_curve` the same
metric after training on real images alone; `worth` is in real images, or says why it is not told; `confirmation` is a
comparison (`evaluation.comparison`) on test images, null where ratio 0 is the one to use.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from diffaug_pipeline.dose_response.arms import ratio_arm, real_subsets, synthetic_share
from diffaug_pipeline.dose_response.choice import Measured, choose_ratio, measure_arms
from diffaug_pipeline.dose_response.equivalence import MIN_POINTS, Curve, worth_in_images
from diffaug_pipeline.dose_response.options import DoseResponseOptions
from diffaug_pipeline.evaluation.comparison import BASELINE, TREATMENT, compare_arms
from diffaug_pipeline.evaluation.options import ComparisonOptions
from diffaug_pipeline.evaluation.outcomes import Outcomes
from diffaug_pipeline.imaging.image_set import ImageSet


def choose_dose(
    outcomes: Mapping[str, Outcomes],
    real_images: ImageSet,
    options: DoseResponseOptions,
    evaluation: ComparisonOptions,
) -> dict[str, Any]:
    """All of the document but the confirmation, from what the networks of each arm say about validation images."""
    measured = measure_arms(outcomes, evaluation)
    by_ratio = {ratio: measured[ratio_arm(ratio)] for ratio in options.ratios}
    gains = {ratio: of_ratio.minus(by_ratio[0]) for ratio, of_ratio in by_ratio.items()}
    best, chosen = choose_ratio(
        {ratio: gain.mean for ratio, gain in gains.items()},
        {ratio: gain.standard_error for ratio, gain in gains.items()},
        options.standard_errors,
    )
    subsets = real_subsets(real_images, options)
    sizes = [len(images) for images in subsets.values()] + [len(real_images.where(split="train"))]
    on_real = [measured[arm] for arm in subsets] + [by_ratio[0]]
    curve = Curve(
        np.array(sizes),
        np.stack([point.values for point in on_real], axis=-1),
        np.stack([point.resampled for point in on_real], axis=-1),
    )
    return {
        "metric": evaluation.metric,
        "confidence": evaluation.confidence,
        "standard_errors": options.standard_errors,
        "seeds": outcomes[ratio_arm(0)].seeds,
        "val_images": len(outcomes[ratio_arm(0)].image_ids),
        "doses": [
            {
                "ratio": ratio,
                "share": synthetic_share(ratio),
                **_described(by_ratio[ratio], evaluation.confidence),
                "gain": _described(gains[ratio], evaluation.confidence)
                | {"standard_error": gains[ratio].standard_error},
            }
            for ratio in options.ratios
        ],
        "best_ratio": best,
        "chosen_ratio": chosen,
        "learning_curve": {
            "points": [
                {"real_images": size, **_described(point, evaluation.confidence)}
                for size, point in zip(sizes, on_real, strict=True)
            ],
            "power_law": _describe_power_law(curve),
        },
        "worth": _worth(curve, gains[chosen], chosen, options, evaluation),
    }


def arms_to_confirm(choice: dict[str, Any]) -> list[str]:
    """The only arms that are asked about test images; none where ratio 0 is the one to use."""
    return [ratio_arm(0), ratio_arm(choice["chosen_ratio"])] if choice["chosen_ratio"] else []


def confirm_dose(
    choice: dict[str, Any], outcomes: Mapping[str, Outcomes], evaluation: ComparisonOptions
) -> dict[str, Any]:
    """The whole document; `outcomes` on test images are of `arms_to_confirm`."""
    if not outcomes:
        return choice | {"confirmation": None}
    baseline, treatment = (outcomes[arm] for arm in arms_to_confirm(choice))
    comparison = compare_arms({BASELINE: baseline, TREATMENT: treatment}, evaluation)
    unconfirmed = choice["worth"]["shown"] and comparison["interval"][0] <= 0
    worth = _not_shown("test images do not confirm the gain") if unconfirmed else choice["worth"]
    return choice | {"confirmation": comparison, "worth": worth}


def _worth(
    curve: Curve, gain: Measured, chosen: float, options: DoseResponseOptions, evaluation: ComparisonOptions
) -> dict[str, Any]:
    if chosen == 0:
        return _not_shown("no dose is clearly better than real images alone")
    if len(gain.values) < evaluation.min_seeds:
        return _not_shown(f"{len(gain.values)} paired seeds are too few, it takes {evaluation.min_seeds}")
    if gain.interval(evaluation.confidence).low <= 0:
        return _not_shown("the gain on validation images may be chance")
    if len(curve.images) < MIN_POINTS:
        return _not_shown(f"a learning curve takes {MIN_POINTS} numbers of real images")
    told = worth_in_images(curve, gain, options.max_growth, evaluation.confidence, options.seed)
    return {"shown": True, "reason": None, **told}


def _not_shown(reason: str) -> dict[str, Any]:
    return {"shown": False, "reason": reason, "images": None, "interval": None, "limit": None}


def _described(measured: Measured, confidence: float) -> dict[str, Any]:
    interval = measured.interval(confidence)
    return {
        "mean": measured.mean,
        "interval": [interval.low, interval.high],
        "values": measured.values.tolist(),
    }


def _describe_power_law(curve: Curve) -> dict[str, float] | None:
    """Of error = asymptote + scale (n / all real images)^-exponent, shifted to pass through the last point."""
    if len(curve.images) < MIN_POINTS:
        return None
    law = curve.fit(curve.values.mean(0, keepdims=True))
    scale = float(law.scale[0])
    return {
        "asymptote": float(1 - curve.values[:, -1].mean()) - scale,
        "scale": scale,
        "exponent": float(law.exponent[0]),
    }
