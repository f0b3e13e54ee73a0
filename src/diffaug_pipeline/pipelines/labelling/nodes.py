"""Nodes of labelling."""

from diffaug_pipeline.detection.options import DetectionTrainingOptions
from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.nouns import Checkpoint, ImageSet, PlannedImageSet, Table


def detect_in_pictures(
    references: Checkpoint,
    generated_images: ImageSet,
    real_images: ImageSet,
    labelling: LabellingOptions,
    training: DetectionTrainingOptions,
) -> Table:
    """What detectors trained on real images find in generated pictures; nothing unless they are to say the boxes."""
    from diffaug_pipeline.detection import references as cross_fitting

    if not labelling.needs_references:
        return cross_fitting.nothing_found()
    return cross_fitting.detect_in_pictures(references, generated_images, real_images.class_names, training)


def label_images(
    generated_images: ImageSet, real_images: ImageSet, picture_detections: Table, options: LabellingOptions
) -> PlannedImageSet:
    """Scenes with boxes, by the label strategy; they are made while they are saved."""
    from diffaug_pipeline.labelling.strategy import choose_strategy

    if options.needs_references:
        from diffaug_pipeline.labelling import pseudo_labelling

        return pseudo_labelling.label_detected(generated_images, picture_detections, options)
    return choose_strategy(options).label_images(generated_images, real_images, options)


def compose_real_cutouts(real_images: ImageSet, options: LabellingOptions) -> PlannedImageSet:
    """The control: real objects cut out and pasted onto other real images."""
    from diffaug_pipeline.labelling import composition

    return composition.compose_real_cutouts(real_images, options)
