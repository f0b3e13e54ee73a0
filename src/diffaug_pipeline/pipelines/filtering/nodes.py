"""Nodes of filtering."""

from diffaug_pipeline.filtering.options import FilteringOptions
from diffaug_pipeline.nouns import Document, ImageSet, Table


def filter_images(
    synthetic_images: ImageSet, real_images: ImageSet, options: FilteringOptions
) -> tuple[Table, Document]:
    """Scores and verdict per synthetic image, and how the thresholds came about."""
    from diffaug_pipeline.filtering import calibration

    return calibration.filter_images(synthetic_images, real_images, options)
