"""What a finished run exports, opened by the libraries people use; the run itself stays as it was."""

import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from datasets import load_dataset
from long_runs import FINISHED_RUN
from torchvision.datasets import ImageFolder

pytestmark = pytest.mark.slow
EXPORT = "export"


def copied(data_root: Path, folder: Path) -> Path:
    """The data of a run that others share, in hard links: what is finished is never written to."""
    return Path(shutil.copytree(data_root, folder, copy_function=os.link))


def exported(data_root: Path, task: str, run_id: str = EXPORT) -> Path:
    return data_root / "08_reporting" / task / "exported_dataset" / run_id / "exported_dataset"


@pytest.fixture(scope="module")
def image_export(classification_run, kedro_run, tmp_path_factory) -> Path:
    """The data folder of a run of classification with its export."""
    data_root = copied(classification_run.data_root, tmp_path_factory.mktemp("images") / "data")
    kedro_run(data_root, "--pipelines", "classification_export", "--run-id", EXPORT)
    return data_root


@pytest.fixture(scope="module")
def scene_export(detection_run, kedro_run, tmp_path_factory) -> Path:
    """The same of detection."""
    data_root = copied(detection_run.data_root, tmp_path_factory.mktemp("scenes") / "data")
    kedro_run(data_root, "--pipelines", "detection_export", "--run-id", EXPORT)
    return data_root


def expected_counts(data_root: Path, task: str) -> dict[tuple[str, str], int]:
    """Real images of the run, and the synthetic ones that it accepted, by split and origin."""
    real = data_root / "02_intermediate" / task / "real_images" / FINISHED_RUN / "real_images" / "index.parquet"
    decided = data_root / "05_filtered" / task / "filter_decisions.parquet" / FINISHED_RUN / "filter_decisions.parquet"
    counts = {(split, "real"): number for split, number in pd.read_parquet(real)["split"].value_counts().items()}
    return counts | {("train", "synthetic"): int(pd.read_parquet(decided)["accepted"].sum())}


def counts_of(table: pd.DataFrame) -> dict[tuple[str, str], int]:
    return table[["split", "origin"]].value_counts().to_dict()


def test_a_run_of_classification_opens_in_every_library(image_export, tmp_path):
    folder, expected = exported(image_export, "classification"), expected_counts(image_export, "classification")
    assert counts_of(pd.read_csv(folder / "image_folder" / "images.csv")) == expected
    assert len(ImageFolder(folder / "image_folder" / "test")) == expected["test", "real"]
    loaded = load_dataset(str(folder / "parquet"), cache_dir=str(tmp_path / "cache"))
    tables = [rows.select_columns(["split", "origin"]).to_pandas() for rows in loaded.values()]
    assert counts_of(pd.concat(tables)) == expected
    assert len(loaded["train"].features["label"].names) == 10


def test_a_run_of_detection_opens_in_every_library(scene_export, tmp_path, monkeypatch):
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "settings"))
    from pycocotools.coco import COCO
    from ultralytics.data.utils import check_det_dataset

    folder, expected = exported(scene_export, "detection"), expected_counts(scene_export, "detection")
    for name in ("coco", "yolo"):
        assert counts_of(pd.read_csv(folder / name / "images.csv")) == expected
    coco = COCO(str(folder / "coco" / "annotations" / "instances_train.json"))
    assert len(coco.getImgIds()) == expected["train", "real"] + expected["train", "synthetic"]
    assert check_det_dataset(folder / "yolo" / "data.yaml", autodownload=False)["nc"] == 10
    loaded = load_dataset(str(folder / "parquet"), cache_dir=str(tmp_path / "cache"))
    assert loaded["train"].filter(lambda origin: origin == "synthetic", input_columns="origin").num_rows > 0


def test_the_card_names_the_run_and_its_verdict(image_export):
    card = (exported(image_export, "classification") / "parquet" / "README.md").read_text()
    assert f"in run `{FINISHED_RUN}`" in card
    assert "classification: INCONCLUSIVE" in card
    assert "| generator | embedded:generator |" in card
    record = json.loads((image_export / "08_reporting" / "run_record.json" / EXPORT / "run_record.json").read_text())
    assert set(record["versions_read"].values()) == {FINISHED_RUN}
    assert record["status"] == "finished"


def test_commercial_use_is_refused_in_one_sentence_and_nothing_is_written(image_export, kedro_run):
    params = ("classification.export.intended_use=commercial", "licences.embedded:clip.commercial_use=false")
    words = ("--pipelines", "classification_export", "--run-id", "refused")
    done = kedro_run(image_export, *words, params=params, check=False)
    assert done.returncode == 1
    printed = " ".join((done.stdout + done.stderr).split())
    assert "not known to allow that are: embedded:clip (scorer of the filter), licence MIT" in printed
    assert not exported(image_export, "classification", "refused").exists()
    staged = exported(image_export, "classification").parents[1] / ".staging"
    assert [path for path in staged.rglob("*") if path.suffix != ".lock"] == []
