"""A folder of JPEGs as a stranger has it goes to a report with one YAML edit."""

import json

import pytest
from long_runs import STRANGERS_RUN as RUN

pytestmark = pytest.mark.slow


def test_from_jpegs_to_a_report(labelled_folder_run):
    assert "never taught" in labelled_folder_run.printed
    reporting = labelled_folder_run.data_root / "08_reporting" / "classification"
    page = (reporting / "report.html" / RUN / "report.html").read_text()
    for words in ("red panda", "garden gnome", "only knows", "sd15", "cut off.jpg", "the file is empty", "notes.jpg"):
        assert words in page
    comparison = json.loads((reporting / "comparison.json" / RUN / "comparison.json").read_text())
    assert comparison["per_class"].keys() == {"garden gnome", "polar bear", "red panda"}
    assert comparison["zero_shot"] is None
