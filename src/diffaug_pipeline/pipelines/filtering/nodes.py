"""Nodes of filtering."""

from functools import partial

from diffaug_pipeline.detection.options import DetectionTrainingOptions, ReferenceOptions
from diffaug_pipeline.filtering.options import DetectionFilteringOptions, FilteringOptions
from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.nouns import Checkpoint, Document, FillFolder, ImageSet, Table


def filter_images(
    synthetic_images: ImageSet, real_images: ImageSet, options: FilteringOptions
) -> tuple[Table, Document]:
    """Scores and verdict per synthetic image, and how the thresholds came about."""
    from diffaug_pipeline.filtering import calibration

    return calibration.filter_images(synthetic_images, real_images, options)


def train_references(
    real_images: ImageSet,
    training: DetectionTrainingOptions,
    references: ReferenceOptions,
    filtering: DetectionFilteringOptions,
    labelling: LabellingOptions,
) -> FillFolder:
    """A detector per fold of the real training images, trained on the others; none if nobody asks for them."""
    from diffaug_pipeline.detection import references as cross_fitting

    needed = filtering.needs_references or labelling.needs_references
    return partial(cross_fitting.train_references, real_images, training, references, needed)


def detect_with_references(
    references: Checkpoint, synthetic_images: ImageSet, real_images: ImageSet, training: DetectionTrainingOptions
) -> Table:
    """What those detectors find in scenes whose source they have not seen, and in real validation images."""
    from diffaug_pipeline.detection import references as cross_fitting

    return cross_fitting.detect(references, synthetic_images, real_images, training)


def filter_scenes(
    synthetic_images: ImageSet, real_images: ImageSet, reference_detections: Table, options: DetectionFilteringOptions
) -> tuple[Table, Table, Document]:
    """Verdict per scene, scores per box, and how the thresholds came about."""
    from diffaug_pipeline.filtering import scenes

    return scenes.filter_scenes(synthetic_images, real_images, reference_detections, options)
