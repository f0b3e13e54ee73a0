"""Nodes of the dose-response study."""

from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.detection.options import DetectionTrainingOptions
from diffaug_pipeline.dose_response.options import DoseResponseOptions
from diffaug_pipeline.evaluation.options import DetectionEvaluationOptions, EvaluationOptions
from diffaug_pipeline.nouns import Checkpoint, Document, Figure, FillFolder, ImageSet, Table


def train_classifiers(
    real_images: ImageSet,
    synthetic_images: ImageSet,
    filter_decisions: Table,
    copies: Table,
    options: DoseResponseOptions,
    training: TrainingOptions,
) -> FillFolder:
    """A network per dose and seed, and per share of the real images; trained while they are saved, one by one."""
    from functools import partial

    from diffaug_pipeline.classification.training import train_classifiers as train
    from diffaug_pipeline.dose_response.arms import Ingredients
    from diffaug_pipeline.dose_response.training import train_arms

    ingredients = Ingredients(real_images, synthetic_images, filter_decisions, copies)
    return partial(train_arms, train, ingredients, training, options)


def train_detectors(
    real_images: ImageSet,
    synthetic_images: ImageSet,
    filter_decisions: Table,
    copies: Table,
    options: DoseResponseOptions,
    training: DetectionTrainingOptions,
) -> FillFolder:
    """A network per dose and seed, and per share of the real images; trained while they are saved, one by one."""
    from functools import partial

    from diffaug_pipeline.detection.training import train_detectors as train
    from diffaug_pipeline.dose_response.arms import Ingredients
    from diffaug_pipeline.dose_response.training import train_arms

    ingredients = Ingredients(real_images, synthetic_images, filter_decisions, copies)
    return partial(train_arms, train, ingredients, training, options)


def predict_validation_images(
    checkpoints: Checkpoint, real_images: ImageSet, options: DoseResponseOptions, training: TrainingOptions
) -> Table:
    """What all networks say about the real validation images."""
    from diffaug_pipeline.classification.prediction import predict
    from diffaug_pipeline.dose_response import arms
    from diffaug_pipeline.dose_response.training import predict_arms

    validation, trained = real_images.where(split="val"), arms.names(real_images, options)
    return predict_arms(lambda checkpoint: predict(checkpoint, validation, training.device), checkpoints, trained)


def detect_on_validation_images(
    checkpoints: Checkpoint, real_images: ImageSet, options: DoseResponseOptions, training: DetectionTrainingOptions
) -> Table:
    """What all networks find in the real validation images."""
    from diffaug_pipeline.detection.prediction import predict
    from diffaug_pipeline.dose_response import arms
    from diffaug_pipeline.dose_response.training import predict_arms

    validation, trained = real_images.where(split="val"), arms.names(real_images, options)
    return predict_arms(
        lambda checkpoint: predict(checkpoint, validation, real_images.class_names, training), checkpoints, trained
    )


def choose_classifier_dose(
    predictions: Table, real_images: ImageSet, options: DoseResponseOptions, evaluation: EvaluationOptions
) -> Document:
    """The curve on validation images, the dose to use and what it is worth in real images."""
    from diffaug_pipeline.dose_response.findings import choose_dose
    from diffaug_pipeline.evaluation.classification_metrics import ClassificationOutcomes

    outcomes = {arm: ClassificationOutcomes.of(of_arm) for arm, of_arm in predictions.groupby("arm")}
    return choose_dose(outcomes, real_images, options, evaluation)


def choose_detector_dose(
    predictions: Table, real_images: ImageSet, options: DoseResponseOptions, evaluation: DetectionEvaluationOptions
) -> Document:
    """The curve on validation images, the dose to use and what it is worth in real images."""
    from diffaug_pipeline.dose_response.findings import choose_dose
    from diffaug_pipeline.evaluation.detection_metrics import DetectionOutcomes

    outcomes = {arm: DetectionOutcomes.of(of_arm, real_images, "val") for arm, of_arm in predictions.groupby("arm")}
    return choose_dose(outcomes, real_images, options, evaluation)


def predict_test_images(
    checkpoints: Checkpoint, choice: Document, real_images: ImageSet, training: TrainingOptions
) -> Table:
    """What the networks of the chosen dose and of ratio 0, and no others, say about the real test images."""
    from diffaug_pipeline.classification.prediction import predict
    from diffaug_pipeline.dose_response.findings import arms_to_confirm
    from diffaug_pipeline.dose_response.training import predict_arms

    test, asked = real_images.where(split="test"), arms_to_confirm(choice)
    return predict_arms(lambda checkpoint: predict(checkpoint, test, training.device), checkpoints, asked)


def detect_on_test_images(
    checkpoints: Checkpoint, choice: Document, real_images: ImageSet, training: DetectionTrainingOptions
) -> Table:
    """What the networks of the chosen dose and of ratio 0, and no others, find in the real test images."""
    from diffaug_pipeline.detection.prediction import predict
    from diffaug_pipeline.dose_response.findings import arms_to_confirm
    from diffaug_pipeline.dose_response.training import predict_arms

    test, asked = real_images.where(split="test"), arms_to_confirm(choice)
    return predict_arms(
        lambda checkpoint: predict(checkpoint, test, real_images.class_names, training), checkpoints, asked
    )


def confirm_classifier_dose(choice: Document, test_predictions: Table, evaluation: EvaluationOptions) -> Document:
    """The chosen dose against ratio 0 on test images, beside what chose it."""
    from diffaug_pipeline.dose_response.findings import confirm_dose
    from diffaug_pipeline.evaluation.classification_metrics import ClassificationOutcomes

    outcomes = {arm: ClassificationOutcomes.of(of_arm) for arm, of_arm in test_predictions.groupby("arm")}
    return confirm_dose(choice, outcomes, evaluation)


def confirm_detector_dose(
    choice: Document, test_predictions: Table, real_images: ImageSet, evaluation: DetectionEvaluationOptions
) -> Document:
    """The chosen dose against ratio 0 on test images, beside what chose it."""
    from diffaug_pipeline.dose_response.findings import confirm_dose
    from diffaug_pipeline.evaluation.detection_metrics import DetectionOutcomes

    outcomes = {arm: DetectionOutcomes.of(of_arm, real_images) for arm, of_arm in test_predictions.groupby("arm")}
    return confirm_dose(choice, outcomes, evaluation)


def draw_dose_response(dose_response: Document) -> Figure:
    """The doses and the learning curve."""
    from diffaug_pipeline.dose_response import figure

    return figure.draw_dose_response(dose_response)
