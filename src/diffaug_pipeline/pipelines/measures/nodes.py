"""Nodes of the measures."""

from diffaug_pipeline.measures.options import MeasureOptions
from diffaug_pipeline.nouns import Document, Features, Figure, ImageSet, Table


def measure_synthetic_images(
    image_features: Features,
    real_images: ImageSet,
    synthetic_images: ImageSet,
    filter_decisions: Table,
    options: MeasureOptions,
) -> tuple[Table, Document]:
    """How real and how varied all synthetic and the accepted images are, beside what real ones get."""
    from diffaug_pipeline.measures import measure

    return measure.measure_synthetic_images(image_features, real_images, synthetic_images, filter_decisions, options)


def draw_measures(measures_summary: Document) -> Figure:
    """Each measure per class."""
    from diffaug_pipeline.measures import figure

    return figure.draw_measures(measures_summary)
