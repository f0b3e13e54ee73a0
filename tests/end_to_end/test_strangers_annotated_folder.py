"""Folders with boxes as a stranger has them, in COCO and in YOLO format, go to a report with one YAML edit."""

import json

import pytest
from factories import BAD_BOXES, SHAPES
from long_runs import STRANGERS_RUN as RUN

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["coco", "yolo"])
def test_from_annotated_pictures_to_a_report(annotated_folder_runs, name):
    finished = annotated_folder_runs[name]
    assert "detection: INCONCLUSIVE" in finished.printed
    reporting = finished.data_root / "08_reporting" / "detection"
    page = (reporting / "report.html" / RUN / "report.html").read_text()
    for words in (*BAD_BOXES, *SHAPES, "it was never taught circle, square, triangle", "background_inpainting"):
        assert words in page
    ingested = finished.data_root / "02_intermediate" / "detection" / "ingestion_report.json" / RUN
    problems = json.loads((ingested / "ingestion_report.json").read_text())["box_problems"]
    assert {kind: problem["count"] for kind, problem in problems.items()} == BAD_BOXES
    comparison = json.loads((reporting / "comparison.json" / RUN / "comparison.json").read_text())
    assert comparison["per_class"].keys() == SHAPES.keys()
    assert comparison["test_images"] == 6
    assert list(finished.photos.rglob("*.cache")) == []
