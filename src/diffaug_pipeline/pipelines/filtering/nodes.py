"""Nodes of filtering."""

from diffaug_pipeline.filtering.options import DetectionFilteringOptions, FilteringOptions
from diffaug_pipeline.nouns import Document, Features, ImageSet, Table


def read_image_overrides(real_images: ImageSet, options: FilteringOptions) -> Document:
    """What a person has decided about the filter of images, as it stands when the run reads it."""
    from diffaug_pipeline.filtering import overrides

    return overrides.read_overrides(options.overrides, options.rules, real_images.class_names).as_document()


def read_scene_overrides(real_images: ImageSet, options: DetectionFilteringOptions) -> Document:
    """What a person has decided about the filter of scenes, as it stands when the run reads it."""
    from diffaug_pipeline.filtering import overrides

    return overrides.read_overrides(options.overrides, options.rules, real_images.class_names).as_document()


def filter_images(  # noqa: PLR0913
    synthetic_images: ImageSet,
    real_images: ImageSet,
    image_features: Features,
    copies: Table,
    copy_calibration: Document,
    filter_overrides: Document,
    reference_predictions: Table,
    options: FilteringOptions,
) -> tuple[Table, Document]:
    """Scores and verdicts per synthetic image, and how the thresholds came about."""
    from diffaug_pipeline.filtering import images
    from diffaug_pipeline.filtering.evidence import Audit
    from diffaug_pipeline.filtering.overrides import Overrides

    return images.filter_images(
        synthetic_images,
        real_images,
        image_features,
        Audit(copies, copy_calibration),
        reference_predictions,
        Overrides.model_validate(filter_overrides),
        options,
    )


def filter_scenes(  # noqa: PLR0913
    synthetic_images: ImageSet,
    real_images: ImageSet,
    image_features: Features,
    copies: Table,
    copy_calibration: Document,
    filter_overrides: Document,
    reference_detections: Table,
    options: DetectionFilteringOptions,
) -> tuple[Table, Table, Document]:
    """Verdicts per scene, scores per box, and how the thresholds came about."""
    from diffaug_pipeline.filtering import scenes
    from diffaug_pipeline.filtering.evidence import Audit
    from diffaug_pipeline.filtering.overrides import Overrides

    return scenes.filter_scenes(
        synthetic_images,
        real_images,
        image_features,
        Audit(copies, copy_calibration),
        reference_detections,
        Overrides.model_validate(filter_overrides),
        options,
    )
