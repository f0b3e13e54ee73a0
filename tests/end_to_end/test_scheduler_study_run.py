"""The scheduler study in miniature with the embedded models."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from long_runs import FINISHED_RUN as RUN
from PIL import Image

pytestmark = pytest.mark.slow


def artifact(data_root: Path, layer: str, name: str) -> Path:
    return data_root / layer / "scheduler_study" / name / RUN / name


def test_all_that_was_asked_for_is_there_under_one_version(scheduler_study_run):
    plan = pd.read_parquet(artifact(scheduler_study_run, "03_primary", "synthesis_plan.parquet"))
    images = pd.read_parquet(artifact(scheduler_study_run, "04_synthetic", "synthetic_images") / "index.parquet")
    summary = pd.read_parquet(artifact(scheduler_study_run, "08_reporting", "summary.parquet"))
    timings = pd.read_parquet(artifact(scheduler_study_run, "08_reporting", "timings.parquet"))
    assert images["image_id"].tolist() == plan["image_id"].tolist()
    assert set(summary["cell"]) == set(timings["cell"]) == set(plan["cell"])
    assert "pndm, 3 steps" in set(summary["cell"])
    assert (summary.merge(timings, on="cell").eval("model_evaluations == counted_evaluations")).all()
    with Image.open(artifact(scheduler_study_run, "08_reporting", "contact_sheet.png")) as sheet:
        assert sheet.width > 400
    assert json.loads(artifact(scheduler_study_run, "08_reporting", "quality_figure.json").read_text())["data"]
    page = artifact(scheduler_study_run, "08_reporting", "report.html").read_text()
    assert "Which scheduler for which budget" in page
    assert "Left out: knight in the forest" in page


def test_ddim_without_noise_and_with_it_part_ways(scheduler_study_run):
    summary = pd.read_parquet(artifact(scheduler_study_run, "08_reporting", "summary.parquet")).set_index("cell")
    distance = summary["distance"]
    assert distance["ddim, eta 0, 4 steps"] < distance["ddim, eta 0, 2 steps"]
    assert distance["ddim, eta 0, 4 steps"] < distance["ddim, eta 1, 4 steps"]
    assert np.isfinite(summary[["kid", "clip_score", "agrees"]]).all(axis=None)
