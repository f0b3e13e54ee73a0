"""Our resampling metrics against scikit-learn, figure by figure."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from diffaug_pipeline.evaluation.classification_metrics import ClassificationOutcomes, summarize_predictions

CLASSES = ["bird", "cat", "dog"]


def predictions(seeds: int = 3, images: int = 60, skill: float = 0.6) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 3, images)
    tables = []
    for seed in range(seeds):
        probabilities = rng.dirichlet([1, 1, 1], images)
        known = rng.random(images) < skill
        probabilities[known] = 0.2 * probabilities[known] + 0.8 * np.eye(3)[truth[known]]
        tables.append(
            pd.DataFrame(
                {
                    "seed": seed,
                    "image_id": [f"image{number:03d}" for number in range(images)],
                    "label": np.array(CLASSES)[truth],
                    "predicted": np.array(CLASSES)[probabilities.argmax(1)],
                    "probabilities": list(probabilities),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def reference(name: str, rows: pd.DataFrame) -> float:
    if name == "top1_accuracy":
        return accuracy_score(rows["label"], rows["predicted"])
    if name == "macro_f1":
        return f1_score(rows["label"], rows["predicted"], labels=CLASSES, average="macro", zero_division=0)
    label = name.removeprefix("recall:")
    return recall_score(rows["label"], rows["predicted"], labels=[label], average=None, zero_division=0)[0]


@pytest.mark.parametrize("name", ["top1_accuracy", "macro_f1", "recall:cat"])
def test_metrics_on_resamples_equal_scikit_learn(name):
    table = predictions()
    outcomes = ClassificationOutcomes.of(table.sample(frac=1, random_state=0))
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 60, (5, 60))
    counts = np.stack([np.bincount(draw, minlength=60) for draw in drawn])
    ours = outcomes.metrics(counts)[name]
    for row, draw in enumerate(drawn):
        for column, seed in enumerate(outcomes.seeds):
            of_seed = table[table["seed"] == seed].reset_index(drop=True)
            assert ours[row, column] == pytest.approx(reference(name, of_seed.iloc[draw]))


def test_summary_averages_over_seeds():
    summary = summarize_predictions(predictions(), calibration_bins=15)
    assert summary["per_seed"].keys() == {"0", "1", "2"}
    accuracies = [row["top1_accuracy"] for row in summary["per_seed"].values()]
    assert summary["mean"]["top1_accuracy"] == pytest.approx(np.mean(accuracies))
    table = predictions()
    recalls = [reference("recall:dog", rows) for _, rows in table.groupby("seed")]
    assert summary["per_class"]["dog"]["recall"] == pytest.approx(np.mean(recalls))
    assert sum(entry["images"] for entry in summary["per_class"].values()) == 60


def test_calibration_error_by_hand():
    table = pd.DataFrame(
        {
            "seed": 0,
            "image_id": list("abcd"),
            "label": ["cat", "cat", "dog", "dog"],
            "predicted": ["cat"] * 4,
            "probabilities": [np.array([0.9, 0.1])] * 4,
        }
    )
    summary = summarize_predictions(table, calibration_bins=10)
    assert summary["mean"]["expected_calibration_error"] == pytest.approx(0.4, abs=1e-6)
