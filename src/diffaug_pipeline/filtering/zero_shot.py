"""The scorer as a classifier: the reference row that puts an arm's accuracy in proportion."""

import pandas as pd

from diffaug_pipeline.filtering.clip_scorer import ClipScorer, class_probabilities
from diffaug_pipeline.filtering.options import FilteringOptions
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.synthesis.known_classes import unknown_classes


def predict(real_images: ImageSet, options: FilteringOptions) -> pd.DataFrame:
    """A predictions table (see `classification.prediction`) with seed 0; empty where the classes are unknown."""
    class_names, test = real_images.class_names, real_images.where(split="test")
    if unknown_classes(options.clip_model, class_names):
        return pd.DataFrame(columns=["seed", "image_id", "label", "predicted", "probabilities"])
    scorer = ClipScorer(options.clip_model, options.clip_revision, options.device)
    features = scorer.embed_images(test, options.batch_size, "zero-shot reference")
    class_features = scorer.embed_classes(class_names, options.templates)
    probabilities = class_probabilities(features, class_features, scorer.logit_scale)
    return pd.DataFrame(
        {
            "seed": 0,
            "image_id": test.index["image_id"],
            "label": test.index["label"],
            "predicted": [class_names[best] for best in probabilities.argmax(1)],
            "probabilities": list(probabilities),
        }
    )
