"""Nodes of features."""

from diffaug_pipeline.features.options import DetectionFeatureOptions, FeatureOptions
from diffaug_pipeline.nouns import ImageSet, PlannedFeatures


def embed_images(real_images: ImageSet, synthetic_images: ImageSet, options: FeatureOptions) -> PlannedFeatures:
    """What two models see in every picture; only what no earlier version knows is made, while it is saved."""
    from diffaug_pipeline.features import embedding

    return embedding.PlannedFeatures(real_images, synthetic_images, options)


def embed_boxes(real_images: ImageSet, synthetic_images: ImageSet, options: DetectionFeatureOptions) -> PlannedFeatures:
    """What two models see in every box; only what no earlier version knows is made, while it is saved."""
    from diffaug_pipeline.features import embedding

    return embedding.PlannedFeatures(real_images, synthetic_images, options)
