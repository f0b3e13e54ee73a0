"""Folders with boxes as a stranger has them, in COCO and in YOLO format, go to a report with one YAML edit."""

import json
import shutil

import pytest
from factories import BAD_BOXES, SHAPES, write_coco_folder, write_yolo_folder
from omegaconf import OmegaConf

pytestmark = pytest.mark.slow
EDIT = """
detection:
  ingestion:
    dataset: {dataset}
  labelling: {{strategy: background_inpainting}}
"""


@pytest.mark.parametrize("write", [write_coco_folder, write_yolo_folder])
def test_from_annotated_pictures_to_a_report(write, project, kedro_run, tmp_path):
    photos = write(tmp_path / "my photos")
    conf = tmp_path / "conf"
    shutil.copytree(project / "conf", conf, ignore=shutil.ignore_patterns("local"))
    parameters = conf / "smoke" / "parameters.yml"
    edit = OmegaConf.create(EDIT.format(dataset=json.dumps(str(photos))))
    OmegaConf.save(OmegaConf.merge(OmegaConf.load(parameters), edit), parameters)
    words = ("--conf-source", str(conf), "--pipelines", "detection", "--run-id", "mine")
    done = kedro_run(tmp_path / "data", *words)
    assert "detection: INCONCLUSIVE" in done.stdout
    reporting = tmp_path / "data" / "08_reporting" / "detection"
    page = (reporting / "report.html" / "mine" / "report.html").read_text()
    for words in (*BAD_BOXES, *SHAPES, "it was never taught circle, square, triangle", "background_inpainting"):
        assert words in page
    ingested = tmp_path / "data" / "02_intermediate" / "detection" / "ingestion_report.json" / "mine"
    problems = json.loads((ingested / "ingestion_report.json").read_text())["box_problems"]
    assert {kind: problem["count"] for kind, problem in problems.items()} == BAD_BOXES
    comparison = json.loads((reporting / "comparison.json" / "mine" / "comparison.json").read_text())
    assert comparison["per_class"].keys() == SHAPES.keys()
    assert comparison["test_images"] == 6
    assert list(photos.rglob("*.cache")) == []
