"""Nodes of merging: one per arm."""

from diffaug_pipeline.merging.options import MergingOptions
from diffaug_pipeline.nouns import ImageSet, Table


def merge_real_only(real_images: ImageSet) -> ImageSet:
    """The baseline: real training images alone."""
    from diffaug_pipeline.merging import training_sets

    return training_sets.real_only(real_images)


def merge_augmented(
    real_images: ImageSet, synthetic_images: ImageSet, filter_decisions: Table, copies: Table, options: MergingOptions
) -> ImageSet:
    """Real and accepted synthetic images."""
    from diffaug_pipeline.merging import training_sets

    return training_sets.augmented(real_images, synthetic_images, filter_decisions, copies, options)


def merge_random_filtered(
    real_images: ImageSet, synthetic_images: ImageSet, filter_decisions: Table, copies: Table, options: MergingOptions
) -> ImageSet:
    """The control: as many synthetic images, drawn at random."""
    from diffaug_pipeline.merging import training_sets

    return training_sets.random_filtered(real_images, synthetic_images, filter_decisions, copies, options)


def merge_synthetic_only(
    real_images: ImageSet, synthetic_images: ImageSet, filter_decisions: Table, copies: Table
) -> ImageSet:
    """The control: accepted synthetic images alone."""
    from diffaug_pipeline.merging import training_sets

    return training_sets.synthetic_only(real_images, synthetic_images, filter_decisions, copies)


def merge_copy_paste(
    real_images: ImageSet, composites: ImageSet, filter_decisions: Table, copies: Table, options: MergingOptions
) -> ImageSet:
    """The control: as many composites of real cut-outs."""
    from diffaug_pipeline.merging import training_sets

    return training_sets.copy_paste(real_images, composites, filter_decisions, copies, options)
