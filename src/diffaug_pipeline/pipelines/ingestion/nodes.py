"""Nodes of ingestion."""

from diffaug_pipeline.ingestion.options import DetectionIngestionOptions, IngestionOptions
from diffaug_pipeline.nouns import Document, ImageSet


def ingest_images(options: IngestionOptions) -> tuple[ImageSet, Document]:
    """The user's dataset as an image set with splits, and what was found, refused and why."""
    from diffaug_pipeline.ingestion.ingest import ingest

    return ingest(options)


def ingest_annotated_images(options: DetectionIngestionOptions) -> tuple[ImageSet, Document]:
    """The user's dataset with boxes as an image set with splits, and what was found, refused, mended and why."""
    from diffaug_pipeline.ingestion.annotated import ingest_annotated

    return ingest_annotated(options)
