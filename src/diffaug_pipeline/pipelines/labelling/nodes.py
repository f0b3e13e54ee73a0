"""Nodes of labelling."""

from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.nouns import ImageSet, PlannedImageSet


def label_images(generated_images: ImageSet, real_images: ImageSet, options: LabellingOptions) -> PlannedImageSet:
    """Scenes with boxes, by the label strategy; they are made while they are saved."""
    from diffaug_pipeline.labelling.strategy import choose_strategy

    return choose_strategy(options).label_images(generated_images, real_images, options)


def compose_real_cutouts(real_images: ImageSet, options: LabellingOptions) -> PlannedImageSet:
    """The control: real objects cut out and pasted onto other real images."""
    from diffaug_pipeline.labelling import composition

    return composition.compose_real_cutouts(real_images, options)
