"""The verdict: is the augmented arm better than real-only on real test images, beyond seeds and images?"""

from typing import Any

import numpy as np

from diffaug_pipeline.evaluation.intervals import bootstrap_counts, crossed_interval
from diffaug_pipeline.evaluation.options import ComparisonOptions
from diffaug_pipeline.evaluation.outcomes import Outcomes
from diffaug_pipeline.evaluation.wording import BASELINE, METRIC_TITLES, TREATMENT

ZERO_SHOT = "zero_shot"
SIDE_COMPARISONS = (
    ("augmented", "random_filtered"),
    ("augmented", "copy_paste"),
    ("synthetic_only", "real_only"),
    ("copy_paste", "real_only"),
)


def compare_arms(
    outcomes: dict[str, Outcomes], options: ComparisonOptions, zero_shot: Outcomes | None = None
) -> dict[str, Any]:
    """All that the verdict rests on; `outcomes` by arm, `real_only` and `augmented` among them.

    `zero_shot` is of one fixed model, for reference. Differences are taken per seed on the same test images. Raises
    ValueError if arms differ in seeds or images.
    """
    arms = list(outcomes)
    if zero_shot is not None:
        outcomes = outcomes | {ZERO_SHOT: zero_shot}
    _check_paired(outcomes)
    images, seeds = len(outcomes[BASELINE].image_ids), outcomes[BASELINE].seeds
    observed = {arm: of_arm.metrics(np.ones((1, images))) for arm, of_arm in outcomes.items()}
    resampled = _resample(outcomes, options)
    of_class = {name.split(":", 1)[1]: name for name in observed[BASELINE] if ":" in name}

    def interval_of(metric: str, arm: str, minus: str | None = None) -> dict[str, Any]:
        values, over_images = observed[arm][metric][0], resampled[arm][metric]
        if minus is not None:
            values, over_images = values - observed[minus][metric][0], over_images - resampled[minus][metric]
        defined = ~np.isnan(over_images).any(1)
        interval = crossed_interval(values, over_images[defined], options.confidence)
        least = 0.0 if minus is None else -1.0
        bounds = np.clip([interval.low, interval.high], least, 1.0)
        return {"mean": interval.mean, "interval": bounds.tolist(), "values": values.tolist()}

    main = interval_of(options.metric, TREATMENT, minus=BASELINE)
    verdict, reason = decide_verdict(main["mean"], *main["interval"], len(seeds), options)
    pairs = [pair for pair in SIDE_COMPARISONS if set(pair) <= set(arms)]
    return {
        "metric": options.metric,
        "arms": {arm: interval_of(options.metric, arm) for arm in arms},
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
            name: interval_of(name, TREATMENT, minus=BASELINE)
            for name in METRIC_TITLES
            if name in observed[BASELINE] and name != options.metric
        },
        "other_comparisons": [{"arm": a, "minus": b, **interval_of(options.metric, a, minus=b)} for a, b in pairs],
        "per_class": {
            name: interval_of(metric, TREATMENT, minus=BASELINE)
            | {arm: interval_of(metric, arm)["mean"] for arm in arms}
            for name, metric in of_class.items()
        },
        "zero_shot": None if zero_shot is None else interval_of(options.metric, ZERO_SHOT),
    }


def _resample(outcomes: dict[str, Outcomes], options: ComparisonOptions) -> dict[str, dict[str, np.ndarray]]:
    """By arm and metric, (B, S) values on B resamples of the test images, the same for all arms."""
    images = len(outcomes[BASELINE].image_ids)
    blocks: dict[str, list[dict[str, np.ndarray]]] = {arm: [] for arm in outcomes}
    for counts in bootstrap_counts(images, options.bootstrap_samples, options.seed):
        for arm, of_arm in outcomes.items():
            blocks[arm].append(of_arm.metrics(counts))
    return {
        arm: {metric: np.concatenate([block[metric] for block in parts]) for metric in parts[0]}
        for arm, parts in blocks.items()
    }


def decide_verdict(delta: float, low: float, high: float, seeds: int, options: ComparisonOptions) -> tuple[str, str]:
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
        if arm != ZERO_SHOT and other.seeds != baseline.seeds:
            raise ValueError(
                f"{arm} has seeds {other.seeds}, {BASELINE} has {baseline.seeds}; differences must be paired."
            )
        if not other.asked_the_same(baseline):
            raise ValueError(f"{arm} and {BASELINE} were not asked about the same test images.")
