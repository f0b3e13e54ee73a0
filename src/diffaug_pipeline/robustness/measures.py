"""What an arm's networks reach on clean and on corrupted test images.

One row per corruption, severity and seed: `corruption` (`none` for clean images), `severity` (then 0), `seed`, the name
of the `metric`, its `value`, and `resampled`, a list of its values on resamples of the images. These are the same for
all corruptions, and for all arms measured with the same options, so that whatever is paired can be compared.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from diffaug_pipeline.evaluation.intervals import bootstrap_counts
from diffaug_pipeline.evaluation.outcomes import Outcomes
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.robustness.corrupted_images import CorruptedImageSet
from diffaug_pipeline.robustness.options import RobustnessOptions

CLASSIFIER_METRIC, DETECTOR_METRIC = "top1_accuracy", "map_50_95"

Predict = Callable[[ImageSet], pd.DataFrame]
"""The predictions table of some images."""
FindOutcomes = Callable[[pd.DataFrame], Outcomes]
"""What a predictions table on all test images, by their own names, amounts to."""


def measure(
    test_images: ImageSet, metric: str, predict: Predict, find_outcomes: FindOutcomes, options: RobustnessOptions
) -> pd.DataFrame:
    """The table described above; one corruption at a time, so that few predictions are in memory."""
    counts = list(bootstrap_counts(len(test_images), options.bootstrap_samples, options.seed))
    rows = []
    for corruption in (None, *options.corruptions):
        images = CorruptedImageSet.of(test_images, corruption, options.severities, options.seed)
        names = images.index[["image_id", "clean_image_id", "corruption", "severity"]]
        predictions = predict(images).merge(names, on="image_id").drop(columns="image_id")
        for (name, severity), found in predictions.groupby(["corruption", "severity"]):
            outcomes = find_outcomes(found.rename(columns={"clean_image_id": "image_id"}))
            values = outcomes.metrics(np.ones((1, len(test_images))))[metric][0]
            resampled = np.concatenate([outcomes.metrics(block)[metric] for block in counts])
            rows += [
                {
                    "corruption": name,
                    "severity": severity,
                    "seed": seed,
                    "metric": metric,
                    "value": value,
                    "resampled": of_seed,
                }
                for seed, value, of_seed in zip(outcomes.seeds, values, resampled.T, strict=True)
            ]
    return pd.DataFrame(rows)
