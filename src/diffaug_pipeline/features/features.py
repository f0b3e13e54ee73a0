"""What models see in every picture of a task, looked up by content; no model is loaded and no picture opened.

<folder>/features.json     which spaces there are, and how boxes were cropped
         thumbnails/       `imaging.thumbnails` of whole pictures: a `KeyedArray`, (N, 64, 64) uint8
         scorer/           vectors: a `KeyedArray`, (N, D) float32, with
             space.json         the model, and what it was asked about classes
             class_vectors.npy  (C, D) float32
         measure/          likewise; absent where the scorer is also the measure
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from diffaug_pipeline.errors import ParameterError, VersionError
from diffaug_pipeline.features.class_scores import class_probabilities
from diffaug_pipeline.features.keyed_array import KeyedArray
from diffaug_pipeline.features.keys import box_keys, image_keys
from diffaug_pipeline.imaging.image_set import ImageSet

DESCRIPTION, SPACE, CLASS_VECTORS = "features.json", "space.json", "class_vectors.npy"
SCORER, MEASURE, THUMBNAILS = "scorer", "measure", "thumbnails"


@dataclass(frozen=True)
class FeatureSpace:
    """The unit vectors one model gives to pictures and, if it has a text tower, to class names."""

    name: str
    """`scorer` or `measure`"""
    model: str
    model_revision: str
    class_names: list[str]
    """Sorted; empty for a model without a text tower."""
    class_vectors: np.ndarray
    """(C, D) float32, ensembled over the templates"""
    logit_scale: float | None
    """Factor from cosines to logits; None without a text tower."""
    crop_context: float | None
    vectors: KeyedArray

    @classmethod
    def read(cls, folder: Path, crop_context: float | None) -> "FeatureSpace":
        """As it was written."""
        described = json.loads((folder / SPACE).read_text())
        return cls(
            name=folder.name,
            **{name: described[name] for name in ("model", "model_revision", "class_names", "logit_scale")},
            class_vectors=np.load(folder / CLASS_VECTORS),
            crop_context=crop_context,
            vectors=KeyedArray(folder),
        )

    def vectors_of(self, images: ImageSet) -> np.ndarray:
        """(N, D) float32 unit vectors of whole pictures, in index order.

        Raises `VersionError` for pictures that were not embedded, as whole ones with boxes are not.
        """
        return _look_up(self.vectors, image_keys(images), images.index["image_id"], f"vectors of {self.model}")

    def vectors_of_boxes(self, images: ImageSet, table: pd.DataFrame) -> np.ndarray:
        """(N, D) float32 unit vectors of the boxes in rows of `list_boxes(images)`.

        Raises `VersionError` for boxes that were not embedded.
        """
        keys = box_keys(images, table, self.crop_context or 0.0)
        return _look_up(self.vectors, keys, table["image_id"], f"vectors of {self.model} for their boxes")

    def cosines(self, vectors: np.ndarray) -> np.ndarray:
        """(N, C) cosines, in [-1, 1], of (N, D) unit vectors to the classes."""
        return vectors @ self.class_vectors.T

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """(N, C) softmax over the classes of the cosines at the model's logit scale."""
        if self.logit_scale is None:
            raise ParameterError(
                f"{self.model} has no text tower and cannot be asked about classes; choose a CLIP or SigLIP model."
            )
        return class_probabilities(vectors, self.class_vectors, self.logit_scale)


@dataclass(frozen=True)
class Features:
    """The features in a folder; cheap to pass around."""

    folder: Path

    @cached_property
    def scorer(self) -> FeatureSpace:
        """The judge of which class a picture shows."""
        return FeatureSpace.read(self.folder / SCORER, self._described["crop_context"])

    @cached_property
    def measure(self) -> FeatureSpace:
        """What sets of pictures are compared in: a backbone of its own, or the scorer where none was named."""
        if self._described[MEASURE] == SCORER:
            return self.scorer
        return FeatureSpace.read(self.folder / MEASURE, self._described["crop_context"])

    def thumbnails(self, images: ImageSet) -> np.ndarray:
        """(N, 64, 64) uint8 gray thumbnails of whole pictures, in index order; raises `VersionError` like vectors."""
        return _look_up(self._thumbnails, image_keys(images), images.index["image_id"], "thumbnails")

    @cached_property
    def _thumbnails(self) -> KeyedArray:
        return KeyedArray(self.folder / THUMBNAILS)

    @cached_property
    def _described(self) -> dict[str, str | float | None]:
        return json.loads((self.folder / DESCRIPTION).read_text())


def _look_up(array: KeyedArray, keys: list[str], image_ids: Sequence[str], what: str) -> np.ndarray:
    rows = array.find(keys)
    lacking = pd.unique(pd.Series(image_ids)[rows < 0])
    if len(lacking):
        raise VersionError(
            f"{len(lacking)} images have no {what} among the features, e.g. {lacking[0]}; they are another run's, or "
            "have changed since. Make features anew for them (kedro run --tags features)."
        )
    return array.read(rows)
