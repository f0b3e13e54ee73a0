"""The detection task in miniature, from boxes to the report: the two arms, then the controls under the same id."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import tree_bytes
from long_runs import FINISHED_RUN as RUN

pytestmark = pytest.mark.slow
KEDRO_VIZ = {".viz"}
"""Where it notes the last run, whichever that was."""
ARMS = ("real_only", "augmented")
CONTROLS = ("copy_paste", "random_filtered", "synthetic_only")


def artifact(data_root: Path, layer: str, name: str) -> Path:
    return data_root / layer / "detection" / name / RUN / Path(name).name


def comparison(data_root: Path) -> dict:
    return json.loads(artifact(data_root, "08_reporting", "comparison.json").read_text())


def run_record(data_root: Path, run: str = RUN) -> dict:
    return json.loads((data_root / "08_reporting" / "run_record.json" / run / "run_record.json").read_text())


def table(data_root: Path, layer: str, name: str) -> pd.DataFrame:
    path = artifact(data_root, layer, name)
    return pd.read_parquet(path / "index.parquet" if path.is_dir() else path)


def test_every_artifact_has_the_one_version_of_the_run(detection_run):
    data_root = detection_run.data_root
    assert {path.parent.name for path in data_root.glob("0*/**/.staging")} != set()
    assert list(data_root.glob("**/.staging/*")) == []
    for layer, name in [
        ("02_intermediate", "real_images"),
        ("02_intermediate", "ingestion_report.json"),
        ("03_primary", "synthesis_plan.parquet"),
        ("04_synthetic", "generated_images"),
        ("04_synthetic", "synthetic_images"),
        ("04_synthetic", "copy_paste/synthetic_images"),
        ("05_filtered", "reference_detections.parquet"),
        ("05_filtered", "box_scores.parquet"),
        ("05_filtered", "filter_decisions.parquet"),
        ("05_filtered", "filter_calibration.json"),
        ("07_models", "references"),
        *[("06_training_sets", f"{arm}/training_set") for arm in ARMS + CONTROLS],
        *[("07_models", f"{arm}/checkpoint") for arm in ARMS + CONTROLS],
        *[("07_models", f"{arm}/predictions.parquet") for arm in ARMS + CONTROLS],
        ("08_reporting", "comparison.json"),
        ("08_reporting", "metrics.json"),
        ("08_reporting", "report.html"),
    ]:
        path = artifact(data_root, layer, name)
        assert path.exists(), name
        assert [version.name for version in path.parents[1].iterdir() if version.name[0] != "."] == [RUN], name


def test_controls_leave_the_trained_arms_as_they_are(detection_run):
    before, after = detection_run.models_before, tree_bytes(detection_run.data_root / "07_models")
    weights = [sum(name.endswith(".safetensors") for name in models) for models in (before, after)]
    assert weights == [2 * 2 + 2, 5 * 2 + 2]  # two seeds of each arm, two folds of references
    assert {name: after[name] for name in before} == before


def test_the_comparison_says_what_other_tools_rely_on(detection_run):
    compared = comparison(detection_run.data_root)
    assert compared["verdict"] == "inconclusive"
    assert compared["metric"] == "map_50_95"
    assert compared["seeds"] == [0, 1]
    assert compared["test_images"] == 20
    assert compared["interval"][0] <= compared["delta"] <= compared["interval"][1]
    assert compared["arms"].keys() == set(ARMS + CONTROLS)
    for arm in compared["arms"].values():
        assert len(arm["values"]) == 2
        assert arm["mean"] == pytest.approx(sum(arm["values"]) / 2)
    assert compared["other_metrics"].keys() == {"map_50"}
    pairs = {(pair["arm"], pair["minus"]) for pair in compared["other_comparisons"]}
    assert {("augmented", "copy_paste"), ("augmented", "random_filtered"), ("copy_paste", "real_only")} <= pairs
    assert {"ankle boot", "bag", "t-shirt"} <= compared["per_class"].keys()
    assert compared["zero_shot"] is None


def test_the_report_is_one_file_that_asks_for_nothing_from_outside(detection_run):
    page = artifact(detection_run.data_root, "08_reporting", "report.html").read_text()
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href)=[\"'](?!data:)", own)
    assert not re.findall(r"url\((?![\"']?data:)", own)
    for words in ("Inconclusive", RUN, "copy_paste", "Rejected by clip_score", "What the networks see", "ankle boot"):
        assert words in page
    for words in ("AGPL-3.0", "Label strategy composition", "embedded stand-in detector", "boxes: trouser"):
        assert words in page


def test_the_run_record_tells_the_whole_story(detection_run):
    record = run_record(detection_run.data_root)
    assert record["status"] == "finished"
    assert record["pipelines"] == ["detection_controls"]
    assert record["parameters"]["detection"]["labelling"]["images"] == 12
    outputs = {name: output for node in record["nodes"].values() for name, output in node["outputs"].items()}
    assert outputs["detection.generated_images"]["images_made"] == 30
    assert outputs["detection.synthetic_images"]["images_made"] == 12
    assert outputs["detection.copy_paste.synthetic_images"]["images_made"] == 12
    assert record["nodes"]["detection.augmented.train_detectors"]["seconds"] > 0
    assert set(record["versions_read"].values()) == {RUN}
    assert [attempt["status"] for attempt in record["attempts"]] == ["finished", "finished"]
    assert record["attempts"][0]["libraries"]["ultralytics"]


@pytest.mark.parametrize(("pipeline", "arms"), [("detection", ARMS), ("detection_controls", ARMS + CONTROLS)])
def test_the_command_ends_with_verdict_figures_and_report(detection_run, pipeline, arms):
    printed = detection_run.printed[pipeline]
    assert "detection: INCONCLUSIVE" in printed.stdout
    for arm in arms:
        assert re.search(rf"mAP50-95, {arm}\s+\d+\.\d %", printed.stdout), arm
    report = re.search(r"^report: (.*)$", printed.stdout, re.MULTILINE).group(1)
    assert Path(report).is_file()
    assert "Warning" not in printed.stderr + printed.stdout


def test_scenes_never_leave_the_train_split_and_decisions_cover_all(detection_run):
    data_root = detection_run.data_root
    scenes, decisions = (
        table(data_root, "04_synthetic", "synthetic_images"),
        table(data_root, "05_filtered", "filter_decisions.parquet"),
    )
    real = table(data_root, "02_intermediate", "real_images")
    assert set(scenes["split"]) == {"train"}
    assert set(scenes["source_image_id"]) <= set(real.loc[real["split"] == "train", "image_id"])
    assert decisions["image_id"].tolist() == scenes["image_id"].tolist()
    assert (decisions["accepted"] == decisions["reason"].isna()).all()
    assert 0 < decisions["accepted"].sum() < 12
    for arm in ARMS + CONTROLS:
        training_set = table(data_root, "06_training_sets", f"{arm}/training_set")
        assert set(training_set["split"]) == {"train"}
        assert training_set["sampling_weight"].sum() == pytest.approx(1)
    used = table(data_root, "06_training_sets", "augmented/training_set").query("origin == 'synthetic'")["image_id"]
    assert set(used) == set(decisions.loc[decisions["accepted"], "image_id"])


def test_detections_on_every_test_image_lie_inside_it(detection_run):
    data_root = detection_run.data_root
    real = table(data_root, "02_intermediate", "real_images")
    test = set(real.loc[real["split"] == "test", "image_id"])
    for arm in ARMS + CONTROLS:
        predictions = table(data_root, "07_models", f"{arm}/predictions.parquet")
        assert predictions.groupby("seed")["image_id"].apply(set).to_dict() == {0: test, 1: test}
        assert predictions["boxes"].map(len).max() <= 100
        xyxy = np.array([box["xyxy"] for boxes in predictions["boxes"] for box in boxes])
        assert xyxy.min() >= 0
        assert xyxy.max() <= 96


def test_nothing_is_left_in_the_project_the_home_or_among_temporary_files(detection_run, project):
    assert {path.name for path in project.iterdir()} - KEDRO_VIZ == detection_run.project_before - KEDRO_VIZ
    assert list(detection_run.home.iterdir()) == []
    assert [path for path in detection_run.temporary.rglob("*") if path.is_file()] == []
