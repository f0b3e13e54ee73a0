"""The study of both tasks on real networks, through the nodes; trained for too short a time to mean anything."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import cats_and_dogs, detection_options, real_image_set
from kedro.io import Version
from PIL import Image
from robustness.robustness_cases import detection_robustness_options, robustness_options

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.classification.prediction import predict as classify
from diffaug_pipeline.classification.training import train_classifiers
from diffaug_pipeline.datasets import ParquetDataset
from diffaug_pipeline.detection.prediction import predict as detect
from diffaug_pipeline.detection.training import train_detectors
from diffaug_pipeline.evaluation.classification_metrics import summarize_predictions
from diffaug_pipeline.evaluation.detection_metrics import summarize_detections
from diffaug_pipeline.evaluation.options import DetectionEvaluationOptions, EvaluationOptions
from diffaug_pipeline.merging.training_sets import real_only
from diffaug_pipeline.pipelines.robustness import nodes
from diffaug_pipeline.robustness.section import describe

COMPARISON = {
    "confidence": 0.95,
    "minimum_effect": 0.01,
    "min_seeds": 5,
    "bootstrap_samples": 200,
    "gallery_images": 0,
    "seed": 0,
}
CLASSIFIERS = TrainingOptions(
    architecture="resnet18",
    weights=None,
    input_size_px=16,
    fit="contain",
    steps=6,
    batch_size=8,
    learning_rate=0.001,
    warmup_steps=1,
    weight_decay=0.0,
    label_smoothing=0.0,
    augmentation={"horizontal_flip": True, "max_shift": 0.0, "policy": "none"},
    evaluations=1,
    seeds=[0, 1],
    workers=1,
    device="cpu",
)
DETECTORS = detection_options(steps=10, warmup_steps=2, evaluations=1, seeds=[0, 1])


def stored(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    dataset = ParquetDataset(filepath=str(folder / "table.parquet"), version=Version(None, "v1"))
    dataset.save(table)
    return dataset.load()


def check(document: dict, sheet: Image.Image) -> None:
    """Both arms are the same networks."""
    assert document["seeds"] == [0, 1]
    assert document["corrupted"]["difference"]["mean"] == 0
    assert document["corrupted"]["difference"]["interval"] == [0, 0]
    figures = nodes.draw_figures(document)
    assert all(len(figure.data) > 2 for figure in figures)
    assert "severities 1, 5" in describe(document, sheet).html
    assert np.asarray(sheet).std() > 20


def test_classifiers_from_checkpoint_to_section(tmp_path):
    real = real_image_set(tmp_path / "real", {"train": 4, "val": 2, "test": 10})
    train_classifiers(real_only(real), real, CLASSIFIERS, tmp_path)
    checkpoint, options = Checkpoint(tmp_path), robustness_options(max_images=20)
    evaluation = EvaluationOptions(metric="top1_accuracy", calibration_bins=5, **COMPARISON)
    measures = nodes.measure_classifiers(checkpoint, real, options, CLASSIFIERS)
    assert len(measures) == (1 + 2 * 2) * 2
    predictions = classify(checkpoint, real.where(split="test"), "cpu")
    clean = measures[measures["corruption"] == "none"].set_index("seed")["value"]
    expected = summarize_predictions(predictions, 5)["per_seed"]
    assert clean.to_dict() == {seed: pytest.approx(expected[str(seed)]["top1_accuracy"]) for seed in (0, 1)}

    table = stored(measures, tmp_path)
    calibration = nodes.calibrate_classifiers(evaluation, real_only=predictions, augmented=predictions)
    document = nodes.summarize_classifiers(calibration, real, options, evaluation, real_only=table, augmented=table)
    assert document["test_images"] == 20
    assert document["mean_corruption_error"]["arms"]["augmented"]["mean"] == pytest.approx(1)
    check(document, nodes.draw_classifier_corruptions(real, options, CLASSIFIERS))


def test_detectors_from_checkpoint_to_section(tmp_path):
    real = cats_and_dogs(tmp_path / "real")
    train_detectors(real_only(real), real, DETECTORS, tmp_path)
    checkpoint, options = Checkpoint(tmp_path), detection_robustness_options()
    evaluation = DetectionEvaluationOptions(metric="map_50_95", **COMPARISON)
    measures = nodes.measure_detectors(checkpoint, real, options, DETECTORS)
    predictions = detect(checkpoint, real.where(split="test"), real.class_names, DETECTORS)
    clean = measures[measures["corruption"] == "none"].set_index("seed")["value"]
    expected = summarize_detections(predictions, real)["per_seed"]
    assert max(clean) > 0.05
    # pictures of 96 px are reduced to 64 before they come to the frame of the network, whose way back is inexact
    assert clean.to_dict() == {seed: pytest.approx(expected[str(seed)]["map_50_95"], abs=0.02) for seed in (0, 1)}

    table = stored(measures, tmp_path)
    calibration = nodes.calibrate_detectors(real, options, real_only=predictions, augmented=predictions)
    document = nodes.summarize_detectors(calibration, real, options, evaluation, real_only=table, augmented=table)
    assert document["test_images"] == 6
    assert document["calibration"]["bins"] == 10
    check(document, nodes.draw_detector_corruptions(real, options, DETECTORS))
