"""A data folder of small runs that make, reuse and read each other's artifacts, saved by the catalog's own datasets."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from factories import Maker, plan, planned, real_image_set
from history.history_cases import record
from kedro.io import Version

from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.project import Project
from diffaug_pipeline.versions.store import Store

REAL = "classification.real_images"
IMAGES = "classification.synthetic_images"
TRAINING_SET = "classification.augmented.training_set"
CHECKPOINT = "classification.augmented.checkpoint"
DECISIONS = "classification.filter_decisions"
CALIBRATION = "classification.filter_calibration"
REPORT = "classification.report"
MADE = (REAL, IMAGES, TRAINING_SET, CHECKPOINT, DECISIONS, CALIBRATION, REPORT)
HISTORY = (CALIBRATION, REPORT, "run_record")


def dataset(project: Project, name: str, run_id: str) -> Any:
    """That reads and writes the version of one run."""
    entry = project.artifact(name)
    return type(entry)(filepath=str(entry.root), version=Version(run_id, run_id))


def pretend_run(
    project: Project,
    run_id: str,
    day: int = 1,
    made: Iterable[str] = MADE,
    read: dict[str, str] | None = None,
    statuses: Iterable[str | None] = ("finished",),
    images: int = 6,
) -> None:
    """A run of that day in January 2026 with an attempt for each status; None is the status of a killed one."""
    nodes = {}
    for name in made:
        artifact = dataset(project, name, run_id)
        artifact.save(_content(project, name, run_id, images))
        output = {"version": run_id, "sha256": artifact.digest, **artifact.statistics}
        nodes[f"make.{name}"] = {"tags": [], "seconds": 1.0, "outputs": {name: output}}
    attempts = [{"started": f"2026-01-{day:02d}T12:00:00+00:00", "status": status} for status in statuses]
    status = attempts[-1]["status"] or "running"
    entry = record(run_id, status, nodes=nodes, attempts=attempts, versions_read=read or {})
    dataset(project, "run_record", run_id).save(entry)


def leave_in_staging(project: Project, name: str, run_id: str) -> Path:
    """What a run that was killed had written of an image set."""
    staged = dataset(project, name, run_id).staged_path_of(run_id)
    (staged / "images" / "000000").mkdir(parents=True)
    (staged / "images" / "000000" / "recipe000000.png").write_bytes(b"some of the bytes")
    return staged


def stored(project: Project, run_id: str) -> set[str]:
    """Names of what is complete of a run."""
    return {version.name for version in Store(project).versions(run_id=run_id) if version.state == "complete"}


def _content(project: Project, name: str, run_id: str, images: int) -> Any:
    photos = project.data_root / "photos"
    if name == REAL:
        return real_image_set(photos, {"train": 1, "test": 1})
    if name == IMAGES:
        return planned(plan(images), Maker())
    if name == TRAINING_SET:
        parts = [dataset(project, of, run_id).load().index for of in (REAL, IMAGES)]
        return ImageSet(pd.concat(parts, ignore_index=True))
    if name == CHECKPOINT:
        return lambda folder: (folder / "weights").write_text(f"of {run_id}")
    if name == DECISIONS:
        return pd.DataFrame({"image_id": ["a", "b"], "accepted": [True, False]})
    return "<p>a report</p>" if name == REPORT else {"accepted": 3}
