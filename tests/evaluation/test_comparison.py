import json

import numpy as np
import pandas as pd
import pytest
from evaluation.detection_cases import arm as detection_arm
from evaluation.detection_cases import indexed_only, random_scenes
from evaluations import evaluation_options

from diffaug_pipeline.evaluation.classification_metrics import ClassificationOutcomes
from diffaug_pipeline.evaluation.comparison import compare_arms, decide_verdict, describe_comparison
from diffaug_pipeline.evaluation.detection_metrics import DetectionOutcomes
from diffaug_pipeline.evaluation.options import DetectionEvaluationOptions

OPTIONS = evaluation_options(bootstrap_samples=400)
DETECTION_OPTIONS = DetectionEvaluationOptions(
    metric="map_50_95",
    confidence=0.95,
    minimum_effect=0.01,
    min_seeds=5,
    bootstrap_samples=400,
    gallery_images=4,
    seed=0,
)


def arm(accuracy: float, seeds: int = 5, images: int = 400, salt: int = 0) -> ClassificationOutcomes:
    return ClassificationOutcomes.of(predictions(accuracy, seeds, images, salt))


def predictions(accuracy: float, seeds: int = 5, images: int = 400, salt: int = 0) -> pd.DataFrame:
    tables = []
    for seed in range(seeds):
        rng = np.random.default_rng([salt, seed])
        right = rng.random(images) < accuracy
        truth = np.arange(images) % 2
        answers = np.where(right, truth, 1 - truth)
        tables.append(
            pd.DataFrame(
                {
                    "seed": seed,
                    "image_id": [f"{number:04d}" for number in range(images)],
                    "label": np.array(["cat", "dog"])[truth],
                    "predicted": np.array(["cat", "dog"])[answers],
                    "probabilities": list(np.eye(2)[answers]),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize(("accuracy", "verdict"), [(0.9, "helped"), (0.7, "inconclusive"), (0.5, "hurt")])
def test_the_verdict_follows_the_truth(accuracy, verdict):
    comparison = compare_arms({"real_only": arm(0.7), "augmented": arm(accuracy, salt=1)}, OPTIONS)
    assert comparison["verdict"] == verdict
    low, high = comparison["interval"]
    assert low <= accuracy - 0.7 <= high
    assert low <= comparison["delta"] <= high
    assert comparison["seeds"] == [0, 1, 2, 3, 4]
    json.dumps(comparison)


def test_identical_arms_differ_by_exactly_nothing():
    comparison = compare_arms({"real_only": arm(0.7), "augmented": arm(0.7)}, OPTIONS)
    assert comparison["delta"] == 0
    assert comparison["interval"] == [0, 0]
    assert comparison["verdict"] == "inconclusive"


def test_four_seeds_never_give_a_verdict():
    comparison = compare_arms({"real_only": arm(0.5, 4), "augmented": arm(0.95, 4, salt=1)}, OPTIONS)
    assert comparison["verdict"] == "inconclusive"
    assert "4 paired seeds are too few" in comparison["reason"]


def test_controls_and_reference_are_compared_too():
    arms = {
        name: arm(accuracy, salt=salt)
        for salt, (name, accuracy) in enumerate(
            [("real_only", 0.7), ("augmented", 0.8), ("random_filtered", 0.75), ("synthetic_only", 0.6)]
        )
    }
    comparison = compare_arms(arms, OPTIONS, zero_shot=arm(0.85, seeds=1, salt=9))
    pairs = [(other["arm"], other["minus"]) for other in comparison["other_comparisons"]]
    assert pairs == [("augmented", "random_filtered"), ("synthetic_only", "real_only")]
    assert comparison["zero_shot"]["mean"] == pytest.approx(0.85, abs=0.06)
    assert comparison["per_class"].keys() == {"cat", "dog"}
    lines = "\n".join(describe_comparison("classification", comparison))
    assert "HELPED" in lines
    assert "synthetic_only" in lines


def test_unpaired_arms_are_refused():
    with pytest.raises(ValueError, match="augmented has seeds"):
        compare_arms({"real_only": arm(0.7), "augmented": arm(0.7, seeds=4)}, OPTIONS)
    with pytest.raises(ValueError, match="not asked about the same test images"):
        compare_arms({"real_only": arm(0.7), "augmented": arm(0.7, images=399)}, OPTIONS)


def test_arms_asked_about_other_images_are_refused_though_labels_agree():
    others = predictions(0.7)
    others["image_id"] = "other" + others["image_id"]
    with pytest.raises(ValueError, match="not asked about the same test images"):
        compare_arms({"real_only": arm(0.7), "augmented": ClassificationOutcomes.of(others)}, OPTIONS)


@pytest.mark.parametrize(("skill", "verdict"), [(0.8, "helped"), (0.5, "inconclusive"), (0.2, "hurt")])
def test_the_verdict_on_detectors_follows_the_truth(skill, verdict):
    images = indexed_only(random_scenes(np.random.default_rng(0), 80))
    tables = {
        "real_only": detection_arm(images, 0.5),
        "augmented": detection_arm(images, skill, salt=1),
        "copy_paste": detection_arm(images, 0.5, salt=2),
    }
    comparison = compare_arms(
        {name: DetectionOutcomes.of(table, images) for name, table in tables.items()}, DETECTION_OPTIONS
    )
    assert comparison["verdict"] == verdict
    assert comparison["interval"][0] <= comparison["delta"] <= comparison["interval"][1]
    assert comparison["other_metrics"].keys() == {"map_50"}
    assert comparison["per_class"].keys() == {"bird", "cat", "dog"}
    assert comparison["zero_shot"] is None
    pairs = [(other["arm"], other["minus"]) for other in comparison["other_comparisons"]]
    assert pairs == [("augmented", "copy_paste"), ("copy_paste", "real_only")]
    assert "mAP50-95, copy_paste" in "\n".join(describe_comparison("detection", comparison))
    json.dumps(comparison, allow_nan=False)


def test_a_class_on_a_single_test_image_has_an_interval_though_many_resamples_lack_it():
    scenes = random_scenes(np.random.default_rng(0), 40, ignored=0)
    only = next(number for number, boxes in enumerate(scenes) if "dog" in boxes.labels)
    images = indexed_only(
        [boxes.where((boxes.labels != "dog") | (number == only)) for number, boxes in enumerate(scenes)]
    )
    arms = {
        name: DetectionOutcomes.of(detection_arm(images, skill, salt=salt), images)
        for salt, (name, skill) in enumerate([("real_only", 0.4), ("augmented", 0.8)])
    }
    low, high = compare_arms(arms, DETECTION_OPTIONS)["per_class"]["dog"]["interval"]
    assert -1 <= low <= high <= 1


def test_unpaired_detectors_are_refused():
    images = indexed_only(random_scenes(np.random.default_rng(0), 20))
    others = indexed_only(random_scenes(np.random.default_rng(1), 20))
    baseline = DetectionOutcomes.of(detection_arm(images, 0.5), images)
    fewer = DetectionOutcomes.of(detection_arm(images, 0.5, seeds=4), images)
    other = DetectionOutcomes.of(detection_arm(others, 0.5), others)
    with pytest.raises(ValueError, match="augmented has seeds"):
        compare_arms({"real_only": baseline, "augmented": fewer}, DETECTION_OPTIONS)
    with pytest.raises(ValueError, match="not asked about the same test images"):
        compare_arms({"real_only": baseline, "augmented": other}, DETECTION_OPTIONS)


@pytest.mark.parametrize(
    ("delta", "low", "high", "verdict", "words"),
    [
        (0.03, 0.01, 0.05, "helped", "above zero"),
        (-0.03, -0.05, -0.01, "hurt", "below zero"),
        (0.005, 0.001, 0.02, "inconclusive", "smaller than the 1 points worth having"),
        (0.001, -0.004, 0.006, "inconclusive", "whatever the effect is, it is smaller than 1 points"),
        (0.03, -0.01, 0.07, "inconclusive", "contains zero"),
    ],
)
def test_verdict_and_reason(delta, low, high, verdict, words):
    decided, reason = decide_verdict(delta, low, high, 5, OPTIONS)
    assert decided == verdict
    assert words in reason
