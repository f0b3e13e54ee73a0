"""Nodes of the robustness study."""

from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.detection.options import DetectionTrainingOptions
from diffaug_pipeline.evaluation.options import DetectionEvaluationOptions, EvaluationOptions
from diffaug_pipeline.nouns import Checkpoint, Document, Figure, ImageSet, Picture, Table
from diffaug_pipeline.robustness.options import DetectionRobustnessOptions, RobustnessOptions


def measure_classifiers(
    checkpoint: Checkpoint, real_images: ImageSet, options: RobustnessOptions, training: TrainingOptions
) -> Table:
    """Accuracy of each network on clean and corrupted test images."""
    from diffaug_pipeline.robustness import classifiers

    return classifiers.measure_classifiers(checkpoint, real_images, options, training)


def measure_detectors(
    checkpoint: Checkpoint,
    real_images: ImageSet,
    options: DetectionRobustnessOptions,
    training: DetectionTrainingOptions,
) -> Table:
    """mAP50-95 of each network on clean and corrupted test images."""
    from diffaug_pipeline.robustness import detectors

    return detectors.measure_detectors(checkpoint, real_images, options, training)


def calibrate_classifiers(evaluation: EvaluationOptions, **predictions: Table) -> Document:
    """How far confidence is from accuracy, by arm."""
    from diffaug_pipeline.robustness.calibration import classifier_answers, describe_calibration

    answers = {arm: classifier_answers(table) for arm, table in predictions.items()}
    return describe_calibration(answers, evaluation.calibration_bins)


def calibrate_detectors(real_images: ImageSet, options: DetectionRobustnessOptions, **predictions: Table) -> Document:
    """How far confidence is from precision, by arm."""
    from diffaug_pipeline.robustness.calibration import describe_calibration, detector_answers

    least = options.min_confidence
    answers = {arm: detector_answers(table, real_images, least) for arm, table in predictions.items()}
    return describe_calibration(answers, options.calibration_bins, least)


def summarize_classifiers(
    calibration: Document,
    real_images: ImageSet,
    options: RobustnessOptions,
    evaluation: EvaluationOptions,
    **measures: Table,
) -> Document:
    """Everything the report shows."""
    from diffaug_pipeline.robustness.summary import summarize_robustness

    test_images = min(len(real_images.where(split="test")), options.max_images)
    return summarize_robustness(measures, calibration, test_images, evaluation.confidence)


def summarize_detectors(
    calibration: Document,
    real_images: ImageSet,
    options: DetectionRobustnessOptions,
    evaluation: DetectionEvaluationOptions,
    **measures: Table,
) -> Document:
    """Everything the report shows."""
    from diffaug_pipeline.robustness.summary import summarize_robustness

    test_images = min(len(real_images.where(split="test")), options.max_images)
    return summarize_robustness(measures, calibration, test_images, evaluation.confidence)


def draw_figures(robustness: Document) -> tuple[Figure, Figure]:
    """Performance under each corruption, and reliability."""
    from diffaug_pipeline.robustness import figures

    return figures.draw_robustness(robustness), figures.draw_reliability(robustness)


def draw_classifier_corruptions(
    real_images: ImageSet, options: RobustnessOptions, training: TrainingOptions
) -> Picture:
    """What the corruptions look like."""
    from diffaug_pipeline.robustness.contact_sheet import draw_corruptions

    return draw_corruptions(real_images, options, training.input_size_px, training.fit)


def draw_detector_corruptions(
    real_images: ImageSet, options: DetectionRobustnessOptions, training: DetectionTrainingOptions
) -> Picture:
    """What the corruptions look like."""
    from diffaug_pipeline.robustness.contact_sheet import draw_corruptions

    return draw_corruptions(real_images, options, training.input_size_px, training.fit)
