"""Metrics of predictions, as single figures and over many resamples of the test images at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array
from sklearn.metrics import accuracy_score, f1_score, log_loss, precision_recall_fscore_support
from torchmetrics.functional.classification import multiclass_calibration_error


def summarize_predictions(predictions: pd.DataFrame, calibration_bins: int) -> dict[str, Any]:
    """`METRIC_NAMES` per seed and on average; precision, recall and F1 per class, averaged over seeds."""
    class_names = sorted(predictions["label"].unique())
    per_seed = {
        str(seed): _summarize_seed(of_seed, class_names, calibration_bins)
        for seed, of_seed in predictions.groupby("seed")
    }
    precision, recall, f1, support = (
        np.mean(values, axis=0)
        for values in zip(
            *(
                precision_recall_fscore_support(
                    of_seed["label"], of_seed["predicted"], labels=class_names, zero_division=0
                )
                for _, of_seed in predictions.groupby("seed")
            ),
            strict=True,
        )
    )
    return {
        "per_seed": per_seed,
        "mean": {name: float(np.mean([row[name] for row in per_seed.values()])) for name in METRIC_NAMES},
        "per_class": {
            name: {
                "precision": float(precision[k]),
                "recall": float(recall[k]),
                "f1": float(f1[k]),
                "images": int(support[k]),
            }
            for k, name in enumerate(class_names)
        },
    }


METRIC_NAMES = ("top1_accuracy", "macro_f1", "expected_calibration_error", "log_loss")


def _summarize_seed(predictions: pd.DataFrame, class_names: list[str], calibration_bins: int) -> dict[str, float]:
    probabilities = np.stack(predictions["probabilities"]).astype(np.float64)
    probabilities /= probabilities.sum(1, keepdims=True)
    truth = predictions["label"]
    return {
        "top1_accuracy": float(accuracy_score(truth, predictions["predicted"])),
        "macro_f1": float(
            f1_score(truth, predictions["predicted"], labels=class_names, average="macro", zero_division=0)
        ),
        "expected_calibration_error": _calibration_error(probabilities, truth, class_names, calibration_bins),
        "log_loss": float(log_loss(truth, probabilities, labels=class_names)),
    }


def _calibration_error(probabilities: np.ndarray, truth: pd.Series, class_names: list[str], bins: int) -> float:
    """Expected calibration error with equal-width bins (Guo et al. 2017, equation 3)."""
    targets = torch.from_numpy(truth.map({name: k for k, name in enumerate(class_names)}).to_numpy(np.int64, copy=True))
    predicted = torch.from_numpy(probabilities.astype(np.float32))
    return multiclass_calibration_error(predicted, targets, num_classes=len(class_names), n_bins=bins).item()


@dataclass(frozen=True)
class ClassificationOutcomes:
    """One arm's answers: (S, N) class numbers predicted by S seeds for N images, and the (N,) true ones."""

    predicted: np.ndarray
    truth: np.ndarray
    class_names: list[str]
    seeds: list[int]
    image_ids: list[str]

    @classmethod
    def of(cls, predictions: pd.DataFrame) -> "ClassificationOutcomes":
        """From a predictions table; images in the order of their ids."""
        class_names = sorted(predictions["label"].unique())
        number = {name: k for k, name in enumerate(class_names)}
        table = predictions.assign(predicted=predictions["predicted"].map(number)).pivot(
            index="seed", columns="image_id", values="predicted"
        )
        truth = predictions.drop_duplicates("image_id").set_index("image_id")["label"].map(number)
        return cls(
            predicted=table.fillna(-1).to_numpy(int),
            truth=truth[table.columns].to_numpy(int),
            class_names=class_names,
            seeds=table.index.tolist(),
            image_ids=table.columns.tolist(),
        )

    def metrics(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        """Each (B, S): `top1_accuracy`, `macro_f1` and `recall:<class>` on B resamples given by (B, N) `counts`."""
        everything = np.ones(len(self.truth), bool)
        support = self._sums(counts, self.truth, everything)
        hits = np.stack([self._sums(counts, self.truth, answers == self.truth) for answers in self.predicted], axis=1)
        named = np.stack([self._sums(counts, answers, answers >= 0) for answers in self.predicted], axis=1)
        recall = hits / np.maximum(support, 1)[:, None]
        return {
            "top1_accuracy": hits.sum(2) / support.sum(1, keepdims=True),
            "macro_f1": (2 * hits / np.maximum(support[:, None] + named, 1)).mean(2),
            **{f"recall:{name}": recall[:, :, k] for k, name in enumerate(self.class_names)},
        }

    def asked_the_same(self, other: "ClassificationOutcomes") -> bool:
        """Whether both were asked about the same images with the same labels."""
        return self.image_ids == other.image_ids and bool((self.truth == other.truth).all())

    def _sums(self, counts: np.ndarray, classes: np.ndarray, counted: np.ndarray) -> np.ndarray:
        """(B, C) sums of the (B, N) `counts` per class, over the images that are `counted`."""
        images = np.flatnonzero(counted)
        shape = (len(self.class_names), len(classes))
        by_class = csr_array((np.ones(len(images)), (classes[images], images)), shape=shape)
        return (by_class @ counts.T).T
