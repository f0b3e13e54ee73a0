"""What a comparison needs to know of an arm, whatever the task."""

from typing import Protocol

import numpy as np


class Outcomes(Protocol):
    """The answers of the S networks of one arm about the same N test images."""

    seeds: list[int]
    """S"""
    image_ids: list[str]
    """N"""
    class_names: list[str]

    def metrics(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        """Each (B, S), on B resamples of the images given by (B, N) `counts`.

        Names of metrics of one class end in `:<class>`, one for each of `class_names`. Where a resample leaves a metric
        undefined it is NaN; with counts of one none is.
        """

    def asked_the_same(self, other: "Outcomes") -> bool:
        """Whether both are about the same images with the same truth."""
