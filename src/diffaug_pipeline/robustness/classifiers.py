"""ResNets on corrupted pictures."""

import pandas as pd

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.classification.prediction import predict
from diffaug_pipeline.evaluation.classification_metrics import ClassificationOutcomes
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.robustness.corrupted_images import limit_test_images, shrink
from diffaug_pipeline.robustness.measures import CLASSIFIER_METRIC, measure
from diffaug_pipeline.robustness.options import RobustnessOptions


def measure_classifiers(
    checkpoint: Checkpoint, real_images: ImageSet, options: RobustnessOptions, training: TrainingOptions
) -> pd.DataFrame:
    """Top-1 accuracy, in [0, 1]; columns as in `robustness.measures`."""
    test = shrink(limit_test_images(real_images, options).where(split="test"), training.input_size_px, training.fit)
    return measure(
        test,
        CLASSIFIER_METRIC,
        lambda images: predict(checkpoint, images, training.device),
        ClassificationOutcomes.of,
        options,
    )
