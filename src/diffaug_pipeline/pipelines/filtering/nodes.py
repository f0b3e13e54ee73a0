"""Nodes of filtering."""

from diffaug_pipeline.filtering.options import DetectionFilteringOptions, FilteringOptions
from diffaug_pipeline.nouns import Document, Features, ImageSet, Table


def filter_images(
    synthetic_images: ImageSet,
    real_images: ImageSet,
    image_features: Features,
    copies: Table,
    copy_calibration: Document,
    reference_predictions: Table,
    options: FilteringOptions,
) -> tuple[Table, Document]:
    """Scores and verdicts per synthetic image, and how the thresholds came about."""
    from diffaug_pipeline.filtering import images

    return images.filter_images(
        synthetic_images, real_images, image_features, copies, copy_calibration, reference_predictions, options
    )


def filter_scenes(
    synthetic_images: ImageSet,
    real_images: ImageSet,
    image_features: Features,
    copies: Table,
    copy_calibration: Document,
    reference_detections: Table,
    options: DetectionFilteringOptions,
) -> tuple[Table, Table, Document]:
    """Verdicts per scene, scores per box, and how the thresholds came about."""
    from diffaug_pipeline.filtering import scenes

    return scenes.filter_scenes(
        synthetic_images, real_images, image_features, copies, copy_calibration, reference_detections, options
    )
