"""Our detection metrics against pycocotools, figure by figure."""

import numpy as np
import pandas as pd
import pytest
from evaluation.detection_cases import CLASSES, arm, coco_eval, coco_precisions, indexed_only, random_scenes

from diffaug_pipeline.evaluation.detection_metrics import DetectionOutcomes, summarize_detections
from diffaug_pipeline.imaging.boxes import Boxes

COCO_STATS = {"map_50_95": 0, "map_50": 1, "map_75": 2, "map_small": 3, "map_medium": 4, "map_large": 5, "ar_100": 8}


def scenes_and_arm(images: int = 40, digits: int = 2):
    scenes = random_scenes(np.random.default_rng(0), images)
    truth = indexed_only(scenes)
    return scenes, truth, arm(truth, 0.6, seeds=2, digits=digits)


def test_summary_equals_pycocotools():
    scenes, truth, predictions = scenes_and_arm()
    summary = summarize_detections(predictions.sample(frac=1, random_state=0), truth)
    references = [coco_eval(scenes, list(of_seed["boxes"])) for _, of_seed in predictions.groupby("seed")]
    for seed, reference in enumerate(references):
        for name, place in COCO_STATS.items():
            assert summary["per_seed"][str(seed)][name] == pytest.approx(reference.stats[place], abs=1e-9)
    assert summary["mean"]["map_75"] == pytest.approx(np.mean([reference.stats[2] for reference in references]))
    by_class = np.mean([coco_precisions(reference) for reference in references], axis=0)
    for number, name in enumerate(CLASSES):
        entry = summary["per_class"][name]
        assert entry["map_50_95"] == pytest.approx(by_class[number].mean())
        assert entry["map_50"] == pytest.approx(by_class[number, 0])
        assert entry["boxes"] == sum((boxes.counted().labels == name).sum() for boxes in scenes)


def test_sizes_that_no_object_has_have_no_figure():
    scenes = random_scenes(np.random.default_rng(0), 20, ignored=0)
    small = [boxes.placed_at(np.hstack([boxes.xyxy[:, :2], boxes.xyxy[:, :2] + 25])) for boxes in scenes]
    truth = indexed_only(small)
    means = summarize_detections(arm(truth, 0.9, seeds=2), truth)["mean"]
    assert means["map_small"] > 0
    assert means["map_medium"] is None
    assert means["map_large"] is None


@pytest.mark.parametrize("metric", ["map_50_95", "map_50", "ap:cat"])
def test_metrics_on_resamples_equal_pycocotools(metric):
    scenes, truth, predictions = scenes_and_arm(images=12, digits=6)
    counts = np.random.default_rng(1).multinomial(12, np.full(12, 1 / 12), size=3)
    ours = DetectionOutcomes.of(predictions, truth).metrics(counts)[metric]
    assert ours.shape == (3, 2)
    for row, drawn in enumerate(counts):
        chosen = np.repeat(np.arange(12), drawn)
        for seed, of_seed in predictions.groupby("seed"):
            found = list(of_seed["boxes"])
            reference = coco_eval([scenes[k] for k in chosen], [found[k] for k in chosen])
            expected = {
                "map_50_95": reference.stats[0],
                "map_50": reference.stats[1],
                "ap:cat": coco_precisions(reference)[CLASSES.index("cat")].mean(),
            }
            assert ours[row, seed] == pytest.approx(expected[metric], abs=1e-9)


def test_predictions_may_have_been_on_disk(tmp_path):
    _, truth, predictions = scenes_and_arm(images=10)
    predictions.to_parquet(tmp_path / "predictions.parquet")
    read = pd.read_parquet(tmp_path / "predictions.parquet")
    assert summarize_detections(read, truth) == summarize_detections(predictions, truth)


def test_a_class_that_no_test_image_shows_has_no_figure_and_costs_nothing():
    scenes = [boxes.where(boxes.labels != "dog") for boxes in random_scenes(np.random.default_rng(0), 20)]
    seen = indexed_only(scenes)
    predictions = arm(seen, 0.6, seeds=2)
    elsewhere = seen.index.iloc[:1].assign(
        split="train", image_id="x", boxes=[[{"label": "dog", "xyxy": [0, 0, 9, 9], "ignored": False}]]
    )
    whole = type(seen)(pd.concat([seen.index, elsewhere], ignore_index=True))
    outcomes = DetectionOutcomes.of(predictions, whole)
    assert outcomes.class_names == ["bird", "cat"]
    assert any(row["label"] == "dog" for rows in predictions["boxes"] for row in rows)
    assert not np.isnan(outcomes.metrics(np.ones((1, 20)))["map_50_95"]).any()


def test_wrong_predictions_are_refused():
    _, truth, predictions = scenes_and_arm(images=10)
    with pytest.raises(ValueError, match=r"predictions of seed 1 are 9 rows and must be one per test image, 10; 1 "):
        DetectionOutcomes.of(predictions[:-1], truth)
    stranger = [[{"label": "fish", "xyxy": [0, 0, 5, 5], "confidence": 0.5}]] + [[]] * 19
    with pytest.raises(ValueError, match="seed 0 found fish; the dataset has bird, cat, dog"):
        DetectionOutcomes.of(predictions.assign(boxes=stranger), truth)
    empty = indexed_only([Boxes.of([]) for _ in range(10)])
    with pytest.raises(ValueError, match="none of the 10 test images has a box that counts"):
        DetectionOutcomes.of(predictions, empty)
