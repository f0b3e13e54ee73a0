"""The verdict: is the augmented arm better than real-only on real test images, beyond seeds and images?"""

from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.evaluation.classification_metrics import Outcomes
from diffaug_pipeline.evaluation.intervals import bootstrap_counts, crossed_interval
from diffaug_pipeline.evaluation.options import EvaluationOptions

BASELINE, TREATMENT = "real_only", "augmented"
SIDE_COMPARISONS = (("augmented", "random_filtered"), ("synthetic_only", "real_only"))
METRIC_TITLES = {"top1_accuracy": "top-1 accuracy", "macro_f1": "macro F1"}


def compare_arms(
    predictions: dict[str, pd.DataFrame], zero_shot: pd.DataFrame, options: EvaluationOptions
) -> dict[str, Any]:
    """All that the verdict rests on; `predictions` by arm, `real_only` and `augmented` among them.

    `zero_shot` predictions may be empty. Differences are taken per seed on the same test images. Raises ValueError if
    arms differ in seeds or images.
    """
    outcomes = {arm: Outcomes.of(table) for arm, table in predictions.items()}
    _check_paired(outcomes)
    images = len(outcomes[BASELINE].truth)
    resamples = bootstrap_counts(images, options.bootstrap_samples, options.seed)
    everything = np.ones((1, images), dtype=int)

    def interval_of(metric: str, arm: str, minus: str | None = None) -> dict[str, Any]:
        values = outcomes[arm].metric(metric, everything)[0]
        resampled = outcomes[arm].metric(metric, resamples)
        if minus is not None:
            values = values - outcomes[minus].metric(metric, everything)[0]
            resampled = resampled - outcomes[minus].metric(metric, resamples)
        interval = crossed_interval(values, resampled, options.confidence)
        least = 0.0 if minus is None else -1.0
        bounds = np.clip([interval.low, interval.high], least, 1.0)
        return {"mean": interval.mean, "interval": bounds.tolist(), "values": values.tolist()}

    main = interval_of(options.metric, TREATMENT, minus=BASELINE)
    seeds = outcomes[BASELINE].seeds
    verdict, reason = decide_verdict(main["mean"], *main["interval"], len(seeds), options)
    pairs = [pair for pair in SIDE_COMPARISONS if set(pair) <= set(outcomes)]
    return {
        "metric": options.metric,
        "arms": {arm: interval_of(options.metric, arm) for arm in outcomes},
        "baseline": BASELINE,
        "treatment": TREATMENT,
        "delta": main["mean"],
        "interval": main["interval"],
        "delta_per_seed": main["values"],
        "confidence": options.confidence,
        "minimum_effect": options.minimum_effect,
        "seeds": seeds,
        "test_images": images,
        "verdict": verdict,
        "reason": reason,
        "other_metrics": {
            name: interval_of(name, TREATMENT, minus=BASELINE) for name in METRIC_TITLES if name != options.metric
        },
        "other_comparisons": [{"arm": a, "minus": b, **interval_of(options.metric, a, minus=b)} for a, b in pairs],
        "per_class": {
            name: interval_of(f"recall:{name}", TREATMENT, minus=BASELINE)
            | {arm: interval_of(f"recall:{name}", arm)["mean"] for arm in outcomes}
            for name in outcomes[BASELINE].class_names
        },
        "zero_shot": None if zero_shot.empty else _interval_of_fixed_model(zero_shot, options),
    }


def _interval_of_fixed_model(predictions: pd.DataFrame, options: EvaluationOptions) -> dict[str, Any]:
    """The metric of one fixed model; only the test images vary."""
    outcomes = Outcomes.of(predictions)
    images = len(outcomes.truth)
    values = outcomes.metric(options.metric, np.ones((1, images), dtype=int))[0]
    resampled = outcomes.metric(options.metric, bootstrap_counts(images, options.bootstrap_samples, options.seed))
    interval = crossed_interval(values, resampled, options.confidence)
    return {"mean": interval.mean, "interval": [interval.low, interval.high]}


def decide_verdict(delta: float, low: float, high: float, seeds: int, options: EvaluationOptions) -> tuple[str, str]:
    """`helped`, `hurt` or `inconclusive`, and why."""
    points = f"{100 * delta:+.1f} points, {options.confidence:.0%} interval {100 * low:+.1f} to {100 * high:+.1f}"
    least = f"{100 * options.minimum_effect:g}"
    if seeds < options.min_seeds:
        return (
            "inconclusive",
            f"{points}; {seeds} paired seeds are too few, a verdict takes {options.min_seeds}",
        )
    if low > 0 and delta >= options.minimum_effect:
        return "helped", f"{points}: above zero, and at least the {least} points worth having"
    if high < 0 and delta <= -options.minimum_effect:
        return "hurt", f"{points}: below zero by at least the {least} points that matter"
    if -options.minimum_effect < low and high < options.minimum_effect:
        return "inconclusive", f"{points}: whatever the effect is, it is smaller than {least} points"
    if low > 0 or high < 0:
        return "inconclusive", f"{points}: not zero, but smaller than the {least} points worth having"
    return "inconclusive", f"{points}: the interval contains zero"


def describe_comparison(task: str, comparison: dict[str, Any]) -> list[str]:
    """The comparison in a few lines for a terminal."""
    metric = METRIC_TITLES[comparison["metric"]]
    lines = [f"{task}: {comparison['verdict'].upper()}: {comparison['reason']}"]
    for arm, result in comparison["arms"].items():
        low, high = result["interval"]
        lines.append(f"  {metric}, {arm:<15} {100 * result['mean']:5.1f} %  [{100 * low:.1f}, {100 * high:.1f}]")
    for name, result in comparison["other_metrics"].items():
        low, high = result["interval"]
        bounds = f"[{100 * low:+.1f}, {100 * high:+.1f}]"
        lines.append(f"  {METRIC_TITLES[name]}, difference {100 * result['mean']:+.1f} points  {bounds}")
    if comparison["zero_shot"] is not None:
        lines.append(f"  reference: zero-shot CLIP {100 * comparison['zero_shot']['mean']:.1f} %")
    return lines


def _check_paired(outcomes: dict[str, Outcomes]) -> None:
    baseline = outcomes[BASELINE]
    for arm, other in outcomes.items():
        if other.seeds != baseline.seeds:
            raise ValueError(
                f"{arm} has seeds {other.seeds}, {BASELINE} has {baseline.seeds}; differences must be paired."
            )
        if len(other.truth) != len(baseline.truth) or (other.truth != baseline.truth).any():
            raise ValueError(f"{arm} and {BASELINE} were not asked about the same test images.")
