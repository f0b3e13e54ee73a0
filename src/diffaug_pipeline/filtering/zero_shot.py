"""The scorer as a classifier: the reference row that puts an arm's accuracy in proportion."""

import pandas as pd

from diffaug_pipeline.features.features import Features
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.synthesis.known_classes import unknown_classes


def predict(real_images: ImageSet, features: Features) -> pd.DataFrame:
    """A predictions table (see `classification.prediction`) with seed 0; empty where the classes are unknown."""
    scorer, test = features.scorer, real_images.where(split="test")
    if unknown_classes(scorer.model, scorer.class_names):
        return pd.DataFrame(columns=["seed", "image_id", "label", "predicted", "probabilities"])
    probabilities = scorer.probabilities(scorer.vectors_of(test))
    return pd.DataFrame(
        {
            "seed": 0,
            "image_id": test.index["image_id"],
            "label": test.index["label"],
            "predicted": [scorer.class_names[best] for best in probabilities.argmax(1)],
            "probabilities": list(probabilities),
        }
    )
