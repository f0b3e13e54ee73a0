"""Nodes of references."""

from functools import partial

from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.detection.options import DetectionTrainingOptions
from diffaug_pipeline.filtering.options import DetectionFilteringOptions, FilteringOptions
from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.nouns import Checkpoint, FillFolder, ImageSet, Table
from diffaug_pipeline.prompts.options import BudgetOptions
from diffaug_pipeline.training.options import ReferenceOptions


def train_classifiers(
    real_images: ImageSet,
    training: TrainingOptions,
    references: ReferenceOptions,
    filtering: FilteringOptions,
    budget: BudgetOptions,
) -> FillFolder:
    """A ResNet per fold of the real training images, trained on the others; none if nobody asks for them."""
    from diffaug_pipeline.classification.references import train_references
    from diffaug_pipeline.training.folds import train_none

    if not (filtering.needs_references or budget.needs_references):
        return train_none
    return partial(train_references, real_images, training, references)


def train_detectors(
    real_images: ImageSet,
    training: DetectionTrainingOptions,
    references: ReferenceOptions,
    filtering: DetectionFilteringOptions,
    labelling: LabellingOptions,
    budget: BudgetOptions,
) -> FillFolder:
    """A YOLO per fold of the real training images, trained on the others; none if nobody asks for them."""
    from diffaug_pipeline.detection.references import train_references
    from diffaug_pipeline.training.folds import train_none

    if not (filtering.needs_references or labelling.needs_references or budget.needs_references):
        return train_none
    return partial(train_references, real_images, training, references)


def measure_classifier_errors(
    references: Checkpoint, real_images: ImageSet, training: TrainingOptions, budget: BudgetOptions
) -> Table:
    """Error of each class on real validation images; nothing unless the budget goes by it."""
    from diffaug_pipeline.classification.references import measure_class_errors
    from diffaug_pipeline.prompts.budget import no_errors

    return measure_class_errors(references, real_images, training) if budget.needs_references else no_errors()


def measure_detector_errors(
    references: Checkpoint, real_images: ImageSet, training: DetectionTrainingOptions, budget: BudgetOptions
) -> Table:
    """Error of each class on real validation images; nothing unless the budget goes by it."""
    from diffaug_pipeline.detection.references import measure_class_errors
    from diffaug_pipeline.prompts.budget import no_errors

    return measure_class_errors(references, real_images, training) if budget.needs_references else no_errors()


def predict_with_references(
    references: Checkpoint,
    synthetic_images: ImageSet,
    real_images: ImageSet,
    training: TrainingOptions,
    filtering: FilteringOptions,
) -> Table:
    """What models say of images that they, or whose source they, have not seen; nothing unless the filter asks."""
    from diffaug_pipeline.classification.references import nothing_predicted, predict_images

    if not filtering.needs_references:
        return nothing_predicted()
    return predict_images(references, synthetic_images, real_images, training)


def detect_with_references(
    references: Checkpoint,
    synthetic_images: ImageSet,
    real_images: ImageSet,
    training: DetectionTrainingOptions,
    filtering: DetectionFilteringOptions,
) -> Table:
    """What detectors find in scenes whose source they have not seen, and in real validation images; likewise."""
    from diffaug_pipeline.detection.references import detect, nothing_found

    return (
        detect(references, synthetic_images, real_images, training) if filtering.needs_references else nothing_found()
    )
