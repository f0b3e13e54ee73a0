"""Which images are drawn at each step, paired across arms: a class, then real or synthetic, then the image."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

DRAWN_BY = ["sampling_weight", "late_sampling_weight", "late_from"]
"""The columns of a training set (`merging.training_sets`) that decide how often an image is drawn, and when."""


def draw_batches(training_set: pd.DataFrame, steps: int, batch_size: int, rng: np.random.Generator) -> np.ndarray:
    """(steps, batch_size) row numbers of `training_set`, drawn by the weights in its columns `DRAWN_BY`.

    Three uniform numbers per draw pick the class, synthetic or not, and the row. Arms that share a seed share the
    numbers, so a real image that is not replaced is the same one in every arm. Within a batch the first number is
    stratified, which keeps classes balanced.
    """
    shape = (steps, batch_size)
    strata = rng.permuted(np.tile(np.arange(batch_size), (steps, 1)), axis=1)
    class_draw = (strata + rng.random(shape)) / batch_size
    draws = _Draws(class_draw, rng.random(shape), rng.random(shape))
    early, late = (training_set[column].to_numpy(dtype=float) for column in DRAWN_BY[:2])
    change = first_late_step(training_set, steps)
    return np.concatenate(
        [
            _pick_rows(training_set, early, draws.of_steps(slice(change))),
            _pick_rows(training_set, late, draws.of_steps(slice(change, None))),
        ]
    )


def first_late_step(training_set: pd.DataFrame, steps: int) -> int:
    """The first of `steps`, counted from 0, drawn by late weights; `steps` where none is.

    >>> first_late_step(pd.DataFrame({"late_from": [0.25, 0.25]}), 10)
    2
    """
    return round(float(training_set["late_from"].iloc[0]) * steps)


@dataclass(frozen=True)
class _Draws:
    """Uniform numbers in [0, 1), each (steps, batch_size)."""

    of_class: np.ndarray
    of_origin: np.ndarray
    of_row: np.ndarray

    def of_steps(self, steps: slice) -> "_Draws":
        return _Draws(self.of_class[steps], self.of_origin[steps], self.of_row[steps])


def _pick_rows(training_set: pd.DataFrame, weights: np.ndarray, draws: _Draws) -> np.ndarray:
    """The row numbers that some draws mean under some `weights`."""
    drawable, labels = weights > 0, training_set["label"].to_numpy()
    synthetic = (training_set["origin"] == "synthetic").to_numpy()
    class_names = np.unique(labels[drawable])
    class_weights = np.array([weights[labels == name].sum() for name in class_names])
    classes = _invert(class_weights, draws.of_class)
    drawn = np.zeros(draws.of_class.shape, dtype=np.int64)
    for number, name in enumerate(class_names):
        of_class = (labels == name) & drawable
        real, made = (np.flatnonzero(of_class & (synthetic == wanted)) for wanted in (False, True))
        share = weights[made].sum() / (weights[real].sum() + weights[made].sum())
        for rows, of_origin in ((real, draws.of_origin >= share), (made, draws.of_origin < share)):
            chosen = (classes == number) & of_origin
            drawn[chosen] = rows[_invert(weights[rows], draws.of_row[chosen])]
    return drawn


def _invert(weights: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Index of the weight whose cumulative share contains each number in [0, 1)."""
    cumulative = np.cumsum(weights) / weights.sum()
    return np.searchsorted(cumulative, uniform, side="right").clip(max=len(weights) - 1)
