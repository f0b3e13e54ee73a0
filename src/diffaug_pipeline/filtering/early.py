"""The filter before its time: which pictures, just made, pass the rules that need nothing but the picture.

The one place where filtering asks a model: these pictures are in no artifact yet. It goes by calibrated thresholds, so
that which pictures are made does not depend on what a person overrides once they have been looked at.
"""

from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import islice

import numpy as np
import pandas as pd
from PIL import Image

from diffaug_pipeline.features.class_scores import class_probabilities
from diffaug_pipeline.features.encoder import ClipScorer
from diffaug_pipeline.features.options import FeatureOptions
from diffaug_pipeline.filtering.decisions import passing
from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.judging import Judge
from diffaug_pipeline.filtering.options import FilteringOptions
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.thumbnails import thumbnail
from diffaug_pipeline.synthesis.known_classes import unknown_classes

EARLY_RULES = ("blank", "clip_score", "zero_shot")


class EarlyJudge:
    """Thresholds from real training images; the scorer is loaded for the first pictures."""

    def __init__(self, real_images: ImageSet, features: FeatureOptions, filtering: FilteringOptions):
        self._real, self._features, self._filtering = real_images, features, filtering
        self._class_names = real_images.class_names

    def __call__(self, images: Collection[Image.Image] | ImageSet, labels: Sequence[str]) -> np.ndarray:
        """(N,) bool, whether each of N pictures of the classes `labels` passes those of the rules that are listed."""
        return passing(self._judge.judge(self._look_at(images, labels)), self._judge.rules)

    @cached_property
    def _judge(self) -> Judge:
        train = self._real.where(split="train")
        rules = [rule for rule in self._filtering.rules if rule in EARLY_RULES]
        silent = bool(unknown_classes(self._features.scorer.model, self._class_names))
        return Judge.calibrated(rules, self._look_at(train, train.index["label"]), self._filtering, silent=silent)

    @cached_property
    def _scorer(self) -> ClipScorer:
        return ClipScorer(self._features.scorer.model, self._features.scorer.revision, self._features.device)

    @cached_property
    def _class_vectors(self) -> np.ndarray:
        return self._scorer.embed_classes(self._class_names, self._features.scorer.templates)

    def _look_at(self, images: Collection[Image.Image] | ImageSet, labels: Sequence[str]) -> Evidence:
        vectors, thumbnails, pictures = [], [], iter(images)
        while batch := list(islice(pictures, self._features.batch_size)):
            vectors.append(self._scorer.embed([self._scorer.prepare(picture) for picture in batch]))
            thumbnails += [thumbnail(picture) for picture in batch]
        embedded = np.concatenate(vectors)
        return Evidence(
            table=pd.DataFrame({"image_id": range(len(embedded)), "label": list(labels)}),
            class_names=self._class_names,
            cosines=embedded @ self._class_vectors.T,
            probabilities=class_probabilities(embedded, self._class_vectors, self._scorer.logit_scale),
            thumbnails=np.stack(thumbnails),
        )
