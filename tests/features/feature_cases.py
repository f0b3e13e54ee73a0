"""Options, and sets of features made from small image sets."""

from pathlib import Path

from diffaug_pipeline.features.embedding import PlannedFeatures
from diffaug_pipeline.features.features import Features
from diffaug_pipeline.features.options import DetectionFeatureOptions, FeatureOptions
from diffaug_pipeline.imaging.image_set import ImageSet

TEMPLATES = ["a photo of a {class_name}", "a picture of a {class_name}"]


def feature_options(scorer: Path, measure: Path | None = None, **changes) -> FeatureOptions:
    """On the CPU, four pictures at a time; for boxes with `crop_context`."""
    values = {
        "scorer": {"model": str(scorer), "revision": None, "templates": TEMPLATES},
        "measure": measure and {"model": str(measure), "revision": None},
        "batch_size": 4,
        "device": "cpu",
        "engine": "local",
        "workers": None,
    }
    return (DetectionFeatureOptions if "crop_context" in changes else FeatureOptions)(**values | changes)


def make_features(
    folder: Path, real: ImageSet, synthetic: ImageSet, options: FeatureOptions, earlier: tuple[Path, ...] = ()
) -> Features:
    """Made in `folder`."""
    PlannedFeatures(real, synthetic, options).make_in(folder, earlier)
    return Features(folder)
