"""Which images are drawn at each step, paired across arms: a class, then real or synthetic, then the image."""

import numpy as np
import pandas as pd


def draw_batches(training_set: pd.DataFrame, steps: int, batch_size: int, rng: np.random.Generator) -> np.ndarray:
    """(steps, batch_size) row numbers of `training_set`, drawn by `sampling_weight`.

    Three uniform numbers per draw pick the class, synthetic or not, and the row. Arms that share a seed share the
    numbers, so a real image that is not replaced is the same one in every arm. Within a batch the first number is
    stratified, which keeps classes balanced.
    """
    labels = training_set["label"].to_numpy()
    synthetic = (training_set["origin"] == "synthetic").to_numpy()
    weights = training_set["sampling_weight"].to_numpy(dtype=float)
    class_names = np.unique(labels)
    class_weights = np.array([weights[labels == name].sum() for name in class_names])
    shape = (steps, batch_size)
    strata = rng.permuted(np.tile(np.arange(batch_size), (steps, 1)), axis=1)
    classes = _invert(class_weights, (strata + rng.random(shape)) / batch_size)
    origin_draw, row_draw = rng.random(shape), rng.random(shape)
    drawn = np.zeros(shape, dtype=np.int64)
    for number, name in enumerate(class_names):
        share = weights[(labels == name) & synthetic].sum() / class_weights[number]
        for wants_synthetic in (False, True):
            chosen = (classes == number) & ((origin_draw < share) == wants_synthetic)
            rows = np.flatnonzero((labels == name) & (synthetic == wants_synthetic))
            if len(rows):
                drawn[chosen] = rows[_invert(weights[rows], row_draw[chosen])]
    return drawn


def _invert(weights: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Index of the weight whose cumulative share contains each number in [0, 1)."""
    cumulative = np.cumsum(weights) / weights.sum()
    return np.searchsorted(cumulative, uniform, side="right").clip(max=len(weights) - 1)
