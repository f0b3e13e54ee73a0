"""The detection task in miniature, from boxes to the report: the two arms, then the controls under the same id."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import tree_bytes

pytestmark = pytest.mark.slow
RUN = "smoke-test"
ARMS = ("real_only", "augmented")
CONTROLS = ("copy_paste", "random_filtered", "synthetic_only")


@pytest.fixture(scope="module")
def surroundings(project, tmp_path_factory) -> dict[str, Path]:
    """A home and a folder for temporary files that nothing has touched."""
    folder = tmp_path_factory.mktemp("surroundings")
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    return {"HOME": folder / "home", "TMPDIR": folder / "tmp"}


@pytest.fixture(scope="module")
def project_before(project) -> set[str]:
    return {path.name for path in project.iterdir()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory, kedro_run, surroundings, project_before) -> tuple[Path, dict, dict]:
    """The data folder, what was printed, and the bytes of the weights before the controls were added."""
    data_root = tmp_path_factory.mktemp("data")
    variables = {name: str(folder) for name, folder in surroundings.items()} | {"YOLO_CONFIG_DIR": ""}
    printed = {"detection": kedro_run(data_root, "--pipelines", "detection", "--run-id", RUN, variables=variables)}
    before = weights(data_root)
    words = ("--pipelines", "detection_controls", "--run-id", RUN)
    printed["detection_controls"] = kedro_run(data_root, *words, variables=variables)
    return data_root, printed, before


def artifact(data_root: Path, layer: str, name: str) -> Path:
    return data_root / layer / "detection" / name / RUN / Path(name).name


def weights(data_root: Path) -> dict[str, bytes]:
    return {
        name: content for name, content in tree_bytes(data_root / "07_models").items() if name.endswith(".safetensors")
    }


def comparison(data_root: Path) -> dict:
    return json.loads(artifact(data_root, "08_reporting", "comparison.json").read_text())


def run_record(data_root: Path, run: str = RUN) -> dict:
    return json.loads((data_root / "08_reporting" / "run_record.json" / run / "run_record.json").read_text())


def table(data_root: Path, layer: str, name: str) -> pd.DataFrame:
    path = artifact(data_root, layer, name)
    return pd.read_parquet(path / "index.parquet" if path.is_dir() else path)


def test_every_artifact_has_the_one_version_of_the_run(finished):
    data_root, _, _ = finished
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


def test_controls_leave_the_trained_arms_as_they_are(finished):
    data_root, _, before = finished
    after = weights(data_root)
    assert len(before) == 2 * 2 + 2  # two seeds of two arms, two folds of references
    assert len(after) == 5 * 2 + 2
    assert {name: after[name] for name in before} == before
    assert run_record(data_root)["attempts"][0]["status"] == "finished"


def test_the_comparison_says_what_other_tools_rely_on(finished):
    compared = comparison(finished[0])
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


def test_the_report_is_one_file_that_asks_for_nothing_from_outside(finished):
    page = artifact(finished[0], "08_reporting", "report.html").read_text()
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href)=[\"'](?!data:)", own)
    assert not re.findall(r"url\((?![\"']?data:)", own)
    for words in ("Inconclusive", RUN, "copy_paste", "Rejected by clip_score", "What the networks see", "ankle boot"):
        assert words in page
    for words in ("AGPL-3.0", "Label strategy composition", "embedded stand-in detector", "boxes: trouser"):
        assert words in page


def test_the_run_record_tells_the_whole_story(finished):
    record = run_record(finished[0])
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
def test_the_command_ends_with_verdict_figures_and_report(finished, pipeline, arms):
    printed: subprocess.CompletedProcess = finished[1][pipeline]
    assert "detection: INCONCLUSIVE" in printed.stdout
    for arm in arms:
        assert re.search(rf"mAP50-95, {arm}\s+\d+\.\d %", printed.stdout), arm
    report = re.search(r"^report: (.*)$", printed.stdout, re.MULTILINE).group(1)
    assert Path(report).is_file()
    assert "Warning" not in printed.stderr + printed.stdout


def test_scenes_never_leave_the_train_split_and_decisions_cover_all(finished):
    data_root, _, _ = finished
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


def test_detections_on_every_test_image_lie_inside_it(finished):
    data_root, _, _ = finished
    real = table(data_root, "02_intermediate", "real_images")
    test = set(real.loc[real["split"] == "test", "image_id"])
    for arm in ARMS + CONTROLS:
        predictions = table(data_root, "07_models", f"{arm}/predictions.parquet")
        assert predictions.groupby("seed")["image_id"].apply(set).to_dict() == {0: test, 1: test}
        assert predictions["boxes"].map(len).max() <= 100
        xyxy = np.array([box["xyxy"] for boxes in predictions["boxes"] for box in boxes])
        assert xyxy.min() >= 0
        assert xyxy.max() <= 96


def test_nothing_is_left_in_the_project_the_home_or_among_temporary_files(
    finished, project, project_before, surroundings
):
    assert {path.name for path in project.iterdir()} == project_before
    assert list(surroundings["HOME"].iterdir()) == []
    assert [path for path in surroundings["TMPDIR"].rglob("*") if path.is_file()] == []


def test_a_second_run_makes_no_image_again(finished, kedro_run):
    data_root, _, _ = finished
    words = ("--pipelines", "detection_data", "--run-id", "again", "--to-nodes", "detection.label_images")
    kedro_run(data_root, *words)
    nodes = run_record(data_root, "again")["nodes"]
    outputs = {name: output for node in nodes.values() for name, output in node["outputs"].items()}
    for name, count in (("generated_images", 30), ("synthetic_images", 12)):
        assert outputs[f"detection.{name}"]["images_made"] == 0
        assert outputs[f"detection.{name}"]["images_reused"] == count
