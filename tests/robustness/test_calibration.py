import numpy as np
import pandas as pd
import pytest
from evaluation.detection_cases import indexed_only

from diffaug_pipeline.evaluation.classification_metrics import summarize_predictions
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.robustness.calibration import (
    Answers,
    classifier_answers,
    describe_calibration,
    detector_answers,
)


def random_answers(rng: np.random.Generator, count: int) -> Answers:
    confidence = rng.beta(4, 2, count).astype(np.float32)
    return Answers(confidence, rng.random(count) < confidence**2)


def plain_error(answers: Answers, bins: int) -> float:
    total, width = 0.0, 1 / bins
    for low in np.arange(bins) * width:
        inside = (answers.confidence > low) & (answers.confidence <= low + width)
        if inside.any():
            total += inside.mean() * abs(answers.confidence[inside].mean() - answers.right[inside].mean())
    return total


def test_the_calibration_error_is_that_of_guo():
    rng = np.random.default_rng(0)
    answers = [random_answers(rng, 400) for _ in range(3)]
    described = describe_calibration({"real_only": answers}, 15)["arms"]["real_only"]["expected_calibration_error"]
    expected = [plain_error(of_seed, 15) for of_seed in answers]
    assert described["values"] == pytest.approx(expected, abs=1e-5)
    assert described["mean"] == pytest.approx(np.mean(expected), abs=1e-5)
    assert described["mean"] > 0.1


def test_the_error_follows_from_the_reliability_of_one_seed():
    answers = random_answers(np.random.default_rng(1), 300)
    arm = describe_calibration({"a": [answers]}, 10)["arms"]["a"]
    filled = [row for row in arm["reliability"] if row["answers"]]
    assert sum(row["answers"] for row in filled) == 300
    assert all(row["low"] <= row["confidence"] <= row["high"] for row in filled)
    gaps = sum(row["answers"] / 300 * abs(row["confidence"] - row["accuracy"]) for row in filled)
    assert arm["expected_calibration_error"]["mean"] == pytest.approx(gaps, abs=1e-5)


def test_classifiers_have_the_error_that_the_metrics_say():
    rng = np.random.default_rng(2)
    probabilities = rng.dirichlet([1, 1, 1], 200).astype(np.float32)
    names = np.array(["bird", "cat", "dog"])
    table = pd.DataFrame(
        {
            "seed": np.repeat([0, 1], 100),
            "image_id": [f"{number}" for number in [*range(100), *range(100)]],
            "label": np.tile(rng.choice(names, 100), 2),
            "predicted": names[probabilities.argmax(1)],
            "probabilities": list(probabilities),
        }
    )
    described = describe_calibration({"a": classifier_answers(table)}, 15)["arms"]["a"]["expected_calibration_error"]
    metrics = summarize_predictions(table, 15)["per_seed"]
    expected = [metrics[seed]["expected_calibration_error"] for seed in ("0", "1")]
    assert described["values"] == pytest.approx(expected, abs=1e-5)


def test_a_detection_is_right_if_it_finds_an_object_first():
    def found(label: str, left: float, confidence: float) -> dict:
        return {"label": label, "xyxy": [left, 0.0, left + 10, 10.0], "confidence": confidence}

    truth = [
        {"label": "cat", "xyxy": [0.0, 0.0, 10.0, 10.0], "ignored": False},
        {"label": "cat", "xyxy": [100.0, 0.0, 110.0, 10.0], "ignored": True},
    ]
    dog = {"label": "dog", "xyxy": [50.0, 0.0, 60.0, 10.0], "ignored": False}
    images = indexed_only([Boxes.of(truth), Boxes.of([dog])])
    records = [
        found("cat", 2, 0.9),  # right, at an IoU of 2/3
        found("cat", 0, 0.8),  # the object is taken
        found("cat", 100, 0.7),  # neither right nor wrong
        found("dog", 0, 0.6),  # another class
        found("cat", 6, 0.2),  # not confident enough to count
    ]
    table = pd.DataFrame({"seed": 0, "image_id": ["0001", "0000"], "boxes": [[found("dog", 51, 0.5)], records]})
    [answers] = detector_answers(table, images, min_confidence=0.3)
    np.testing.assert_allclose(answers.confidence, [0.9, 0.8, 0.6, 0.5])
    assert answers.right.tolist() == [True, False, False, True]


def test_networks_without_answers_have_no_error():
    nothing = Answers(np.array([]), np.array([], bool))
    arm = describe_calibration({"a": [nothing, random_answers(np.random.default_rng(0), 5)]}, 4)["arms"]["a"]
    assert arm["expected_calibration_error"]["values"][0] is None
    assert arm["expected_calibration_error"]["mean"] is None
    assert sum(row["answers"] for row in arm["reliability"]) == 5
