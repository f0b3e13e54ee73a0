"""Nodes of auditing."""

from diffaug_pipeline.auditing.options import AuditingOptions
from diffaug_pipeline.nouns import Document, Features, ImageSet, Table


def find_copies(
    image_features: Features, real_images: ImageSet, synthetic_images: ImageSet, options: AuditingOptions
) -> tuple[Table, Document]:
    """The nearest real images of each synthetic one, whether it copies them, and how that was decided."""
    from diffaug_pipeline.auditing import copies

    synthetic, real = image_features.thumbnails(synthetic_images), image_features.thumbnails(real_images)
    return copies.find_copies(synthetic_images, real_images, synthetic, real, options)


def find_copies_in_control(
    image_features: Features, real_images: ImageSet, synthetic_images: ImageSet, options: AuditingOptions
) -> tuple[Table, Document]:
    """The same for a control's images, which no model has seen and whose thumbnails are made here."""
    from diffaug_pipeline.auditing import copies
    from diffaug_pipeline.imaging.thumbnails import thumbnails

    synthetic, real = thumbnails(synthetic_images), image_features.thumbnails(real_images)
    return copies.find_copies(synthetic_images, real_images, synthetic, real, options)
