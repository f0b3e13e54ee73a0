"""Options of the study, and tables as it makes them."""

import numpy as np
import pandas as pd

from diffaug_pipeline.robustness.calibration import Answers, describe_calibration
from diffaug_pipeline.robustness.options import DetectionRobustnessOptions, RobustnessOptions
from diffaug_pipeline.robustness.summary import summarize_robustness

SHARED = {"severities": [1, 5], "max_images": 20, "bootstrap_samples": 200, "seed": 0}


def robustness_options(**changes) -> RobustnessOptions:
    return RobustnessOptions(**{"corruptions": ["gaussian_noise", "zoom_blur"]} | SHARED | changes)


def detection_robustness_options(**changes) -> DetectionRobustnessOptions:
    values = {"corruptions": ["fog", "pixelate"], "calibration_bins": 10, "min_confidence": 0.0}
    return DetectionRobustnessOptions(**values | SHARED | changes)


def measures_table(
    clean: list[float], corrupted: dict[str, list[list[float]]], metric: str = "top1_accuracy", spread: float = 0.0
) -> pd.DataFrame:
    """As `robustness.measures` makes it: values by seed; of each corruption for severities 1 and 5."""
    shifts = spread * np.random.default_rng(0).normal(size=200)
    conditions = {("none", 0): clean} | {
        (name, severity): values
        for name, by_severity in corrupted.items()
        for severity, values in zip((1, 5), by_severity, strict=True)
    }
    return pd.DataFrame(
        [
            {
                "corruption": name,
                "severity": severity,
                "seed": seed,
                "metric": metric,
                "value": value,
                "resampled": value + shifts,
            }
            for (name, severity), values in conditions.items()
            for seed, value in enumerate(values)
        ]
    )


def document(metric: str = "top1_accuracy", better_by: float = 0.1) -> dict:
    """Of a study with two seeds, in which synthetic images help against corruptions."""
    corrupted = {"fog": [[0.6, 0.62], [0.3, 0.34]], "jpeg_compression": [[0.7, 0.7], [0.52, 0.54]]}
    better = {name: (np.array(values) + better_by).tolist() for name, values in corrupted.items()}
    measures = {
        "real_only": measures_table([0.8, 0.82], corrupted, metric, spread=0.01),
        "augmented": measures_table([0.81, 0.82], better, metric, spread=0.01),
    }
    rng = np.random.default_rng(0)
    answers = {arm: [Answers(rng.random(50), rng.random(50) < 0.5) for _ in range(2)] for arm in measures}
    return summarize_robustness(measures, describe_calibration(answers, 10, 0.3), 500, 0.95)
