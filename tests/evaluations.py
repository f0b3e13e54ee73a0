"""What verdicts are made from: options, and answers of networks that are right as often as asked."""

import numpy as np

from diffaug_pipeline.evaluation.classification_metrics import ClassificationOutcomes
from diffaug_pipeline.evaluation.options import EvaluationOptions


def evaluation_options(**changes) -> EvaluationOptions:
    """Quick ones that come to a verdict."""
    values = {
        "metric": "top1_accuracy",
        "confidence": 0.95,
        "minimum_effect": 0.01,
        "min_seeds": 5,
        "bootstrap_samples": 200,
        "calibration_bins": 15,
        "gallery_images": 0,
        "seed": 0,
    }
    return EvaluationOptions(**values | changes)


def outcomes(accuracies: dict[str, float], seeds: int = 5, images: int = 400) -> dict[str, ClassificationOutcomes]:
    """Each arm's networks are right about exactly its share of the images, give or take half a point by seed.

    Which images are hard is the same for all, so that paired differences are sharp.
    """
    hardness = np.random.default_rng(0).permutation(images) / images
    truth = np.arange(images) % 2
    made = {}
    for arm, accuracy in accuracies.items():
        of_seed = accuracy + 0.005 * np.linspace(-1, 1, seeds)[:, None]
        made[arm] = ClassificationOutcomes(
            predicted=np.where(hardness < of_seed, truth, 1 - truth),
            truth=truth,
            class_names=["cat", "dog"],
            seeds=list(range(seeds)),
            image_ids=[f"{number:04d}" for number in range(images)],
        )
    return made
