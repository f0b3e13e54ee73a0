"""YOLOs on corrupted pictures."""

import pandas as pd

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.detection.options import DetectionTrainingOptions
from diffaug_pipeline.detection.prediction import predict
from diffaug_pipeline.evaluation.detection_metrics import DetectionOutcomes
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.robustness.corrupted_images import limit_test_images, shrink
from diffaug_pipeline.robustness.measures import DETECTOR_METRIC, measure
from diffaug_pipeline.robustness.options import DetectionRobustnessOptions


def measure_detectors(
    checkpoint: Checkpoint,
    real_images: ImageSet,
    options: DetectionRobustnessOptions,
    training: DetectionTrainingOptions,
) -> pd.DataFrame:
    """mAP50-95, in [0, 1]; columns as in `robustness.measures`."""
    images = shrink(limit_test_images(real_images, options), training.input_size_px, training.fit)
    return measure(
        images.where(split="test"),
        DETECTOR_METRIC,
        lambda shown: predict(checkpoint, shown, real_images.class_names, training),
        lambda predictions: DetectionOutcomes.of(predictions, images),
        options,
    )
