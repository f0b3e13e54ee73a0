import json
import re
from pathlib import Path

import pandas as pd
import pytest
from long_runs import FINISHED_RUN as RUN

pytestmark = pytest.mark.slow


def artifact(data_root: Path, layer: str, name: str) -> Path:
    return data_root / layer / "classification" / name / RUN / Path(name).name


def test_every_artifact_has_the_one_version_of_the_run(classification_run):
    data_root = classification_run.data_root
    versions = {path.parent.name for path in data_root.glob("0*/**/manifest.json") for path in [path.parent]}
    assert versions == {RUN}
    for layer, name in [
        ("02_intermediate", "real_images"),
        ("03_primary", "synthesis_plan.parquet"),
        ("04_synthetic", "synthetic_images"),
        ("05_filtered", "filter_decisions.parquet"),
        ("06_training_sets", "augmented/training_set"),
        ("06_training_sets", "synthetic_only/training_set"),
        ("07_models", "real_only/checkpoint"),
        ("07_models", "random_filtered/predictions.parquet"),
        ("08_reporting", "comparison.json"),
        ("08_reporting", "report.html"),
    ]:
        assert artifact(data_root, layer, name).exists(), name
    assert list(data_root.glob("**/.staging/*")) == []


def test_the_comparison_says_what_other_tools_rely_on(classification_run):
    comparison = json.loads(artifact(classification_run.data_root, "08_reporting", "comparison.json").read_text())
    assert comparison["verdict"] == "inconclusive"
    assert comparison["metric"] == "top1_accuracy"
    assert comparison["seeds"] == [0, 1]
    assert comparison["confidence"] == 0.95
    assert comparison["interval"][0] <= comparison["delta"] <= comparison["interval"][1]
    assert comparison["arms"].keys() == {"real_only", "augmented", "random_filtered", "synthetic_only"}
    for arm in comparison["arms"].values():
        assert len(arm["values"]) == 2
        assert arm["mean"] == pytest.approx(sum(arm["values"]) / 2)
    assert 0 < comparison["zero_shot"]["mean"] <= 1


def test_the_report_is_one_file_that_asks_for_nothing_from_outside(classification_run):
    page = artifact(classification_run.data_root, "08_reporting", "report.html").read_text()
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href)=[\"'](?!data:)", own)
    for words in ("Inconclusive", RUN, "synthetic_only", "Rejected by zero_shot", "images per second", "ankle boot"):
        assert words in page


def test_the_run_record_tells_the_whole_story(classification_run):
    record = json.loads(
        (classification_run.data_root / "08_reporting" / "run_record.json" / RUN / "run_record.json").read_text()
    )
    assert record["status"] == "finished"
    assert record["pipelines"] == ["classification_controls"]
    assert record["parameters"]["classification"]["synthesis"]["images_per_class"] == 8
    made = record["nodes"]["classification.synthesize_images"]["outputs"]["classification.synthetic_images"]
    assert made["images_made"] == 80
    assert made["bytes"] > 10_000
    assert record["nodes"]["classification.augmented.train_classifiers"]["seconds"] > 0
    assert set(record["versions_read"].values()) == {RUN}
    assert len(record["attempts"]) == 2
    assert record["attempts"][0]["libraries"]["torch"]


def test_the_command_ends_with_verdict_figures_and_report(classification_run):
    printed = classification_run.printed
    assert "classification: INCONCLUSIVE" in printed
    assert re.search(r"top-1 accuracy, augmented\s+\d+\.\d %", printed)
    report = re.search(r"^report: (.*)$", printed, re.MULTILINE).group(1)
    assert Path(report).is_file()


def test_synthetic_images_never_leave_the_train_split_and_decisions_cover_all(classification_run):
    data_root = classification_run.data_root
    images = pd.read_parquet(artifact(data_root, "04_synthetic", "synthetic_images") / "index.parquet")
    decisions = pd.read_parquet(artifact(data_root, "05_filtered", "filter_decisions.parquet"))
    assert set(images["split"]) == {"train"}
    assert set(decisions["image_id"]) == set(images["image_id"])
    assert (decisions["accepted"] == decisions["reason"].isna()).all()
    training_set = pd.read_parquet(artifact(data_root, "06_training_sets", "augmented/training_set") / "index.parquet")
    used = set(training_set.loc[training_set["origin"] == "synthetic", "image_id"])
    assert used == set(decisions.loc[decisions["accepted"], "image_id"])


def test_a_second_run_makes_no_image_again(classification_run, kedro_run):
    data_root = classification_run.data_root
    last = "classification.synthesize_images"
    kedro_run(data_root, "--pipelines", "classification_data", "--run-id", "again", "--to-nodes", last)
    record = json.loads((data_root / "08_reporting" / "run_record.json" / "again" / "run_record.json").read_text())
    for node, name in (("ingest_images", "real_images"), ("synthesize_images", "synthetic_images")):
        made = record["nodes"][f"classification.{node}"]["outputs"][f"classification.{name}"]
        assert made["images_made"] == 0
        assert made["images_reused"] > 0
