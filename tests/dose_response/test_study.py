"""The study of both tasks on real networks, through the nodes; trained for too short a time to mean anything."""

from pathlib import Path

import pandas as pd
from dose_response.dose_cases import as_synthetic, copies, decisions, loop_options, study_options
from evaluations import evaluation_options
from factories import cats_and_dogs, detection_options, real_image_set
from kedro.io import Version

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.datasets import ParquetDataset
from diffaug_pipeline.dose_response.section import describe
from diffaug_pipeline.evaluation.options import DetectionEvaluationOptions
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.pipelines.dose_response import nodes

STUDY = study_options(ratios=[0.0, 1.0], real_shares=[0.4, 0.7])
ARMS = {"ratio_0", "ratio_1", "real_0.4", "real_0.7"}
CLASSIFIERS = TrainingOptions(
    **loop_options(steps=4, batch_size=8).model_dump(),
    architecture="resnet18",
    weights=None,
    input_size_px=16,
    fit="contain",
    label_smoothing=0.0,
    augmentation={"horizontal_flip": True, "max_shift": 0.0, "policy": "none"},
)
DETECTORS = detection_options(seeds=[0], steps=2, warmup_steps=1, evaluations=1, batch_size=4)


def without_test(real: ImageSet) -> ImageSet:
    return ImageSet(real.index[real.index["split"] != "test"].reset_index(drop=True))


def fill(fill_folder, folder: Path) -> Checkpoint:
    folder.mkdir()
    fill_folder(folder)
    return Checkpoint(folder)


def stored(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    dataset = ParquetDataset(filepath=str(folder / "table.parquet"), version=Version(None, "v1"))
    dataset.save(table)
    return dataset.load()


def test_classifiers_see_test_images_only_when_a_dose_is_chosen(tmp_path):
    whole = real_image_set(tmp_path / "real", {"train": 5, "val": 4, "test": 3})
    real, made, evaluation = without_test(whole), as_synthetic(whole), evaluation_options()
    filling = nodes.train_classifiers(real, made, decisions(made), copies(made), STUDY, CLASSIFIERS)
    checkpoints = fill(filling, tmp_path / "checkpoints")
    predictions = nodes.predict_validation_images(checkpoints, real, STUDY, CLASSIFIERS)
    assert set(predictions["arm"]) == ARMS
    assert set(predictions["image_id"]) == set(real.where(split="val").index["image_id"])
    choice = nodes.choose_classifier_dose(stored(predictions, tmp_path / "val"), real, STUDY, evaluation)
    assert choice["val_images"] == 8
    assert [point["real_images"] for point in choice["learning_curve"]["points"]] == [4, 8, 10]
    chosen = choice | {"chosen_ratio": 1.0}
    asked = nodes.predict_test_images(checkpoints, chosen, whole, CLASSIFIERS)
    assert set(asked["arm"]) == {"ratio_0", "ratio_1"}
    assert set(asked["image_id"]) == set(whole.where(split="test").index["image_id"])
    document = nodes.confirm_classifier_dose(chosen, stored(asked, tmp_path / "test"), evaluation)
    assert document["confirmation"]["verdict"] == "inconclusive"
    assert document["confirmation"]["test_images"] == 6
    assert "inconclusive" in describe(document).summary
    assert len(nodes.draw_dose_response(document).data) > 4


def test_where_no_dose_is_chosen_no_network_is_asked_about_test_images(tmp_path):
    whole = real_image_set(tmp_path / "real", {"train": 1, "test": 1})
    nothing = nodes.predict_test_images(Checkpoint(tmp_path / "nowhere"), {"chosen_ratio": 0.0}, whole, CLASSIFIERS)
    empty = stored(nothing, tmp_path)
    choice = {"chosen_ratio": 0.0, "worth": {"shown": False}}
    assert nodes.confirm_classifier_dose(choice, empty, evaluation_options())["confirmation"] is None
    detection = DetectionEvaluationOptions(
        **evaluation_options().model_dump(exclude={"metric", "calibration_bins"}), metric="map_50"
    )
    assert nodes.confirm_detector_dose(choice, empty, whole, detection)["confirmation"] is None


def test_detectors_see_test_images_only_when_a_dose_is_chosen(tmp_path):
    whole = cats_and_dogs(tmp_path / "real")
    real, made = without_test(whole), as_synthetic(whole)
    evaluation = DetectionEvaluationOptions(
        **evaluation_options().model_dump(exclude={"metric", "calibration_bins"}), metric="map_50_95"
    )
    filling = nodes.train_detectors(real, made, decisions(made), copies(made), STUDY, DETECTORS)
    checkpoints = fill(filling, tmp_path / "checkpoints")
    predictions = nodes.detect_on_validation_images(checkpoints, real, STUDY, DETECTORS)
    assert set(predictions["arm"]) == ARMS
    choice = nodes.choose_detector_dose(stored(predictions, tmp_path / "val"), real, STUDY, evaluation)
    assert [point["real_images"] for point in choice["learning_curve"]["points"]] == [5, 8, 12]
    chosen = choice | {"chosen_ratio": 1.0}
    asked = nodes.detect_on_test_images(checkpoints, chosen, whole, DETECTORS)
    assert set(asked["arm"]) == {"ratio_0", "ratio_1"}
    document = nodes.confirm_detector_dose(chosen, stored(asked, tmp_path / "test"), whole, evaluation)
    assert document["confirmation"]["test_images"] == 6
    assert "mAP50-95" in describe(document).html
