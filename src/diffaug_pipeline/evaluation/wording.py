"""Arms, metrics and figures as people read them; loads no library."""

BASELINE, TREATMENT = "real_only", "augmented"
"""The arms that a verdict compares."""
METRIC_TITLES = {
    "top1_accuracy": "top-1 accuracy",
    "macro_f1": "macro F1",
    "map_50_95": "mAP50-95",
    "map_50": "mAP50",
}


def in_points(mean: float, low: float, high: float) -> str:
    """A difference of two shares with its interval.

    >>> in_points(0.038, -0.019, 0.095)
    '+3.8 points [-1.9, +9.5]'
    """
    return f"{100 * mean:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}]"
