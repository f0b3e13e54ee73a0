"""The history as the catalog's artifacts hold it; of each run only small JSON files are read."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from kedro.io import DatasetError

from diffaug_pipeline.datasets.artifact import VersionedArtifact
from diffaug_pipeline.datasets.run_record import RunRecordDataset
from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.history.differences import compare_test_images
from diffaug_pipeline.history.runs import (
    STUDIES,
    Run,
    TaskResult,
    Verdict,
    count_accepted,
    count_images,
    outputs_of,
    tasks_of,
)
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.session import RUN_RECORD

Artifacts: TypeAlias = Callable[[str], VersionedArtifact]
"""By name in the catalog, e.g. `DataCatalog.get`."""
Read = TypeVar("Read")
BY_TURN = ("last", "previous")
"""Names for the newest runs."""
NOT_AS_WRITTEN = (AttributeError, IndexError, KeyError, OSError, TypeError, ValueError)
"""What reading raises where a file is not what was once written."""


@dataclass(frozen=True)
class History:
    """All runs that are recorded."""

    runs: list[Run]
    """Newest first: by when they were begun, or gone on with, in the order in which that happened."""
    damaged: list[str]
    """A sentence for each file that cannot be read; its run is listed without it, or not at all."""

    def find(self, run_id: str) -> Run:
        """`last` and `previous` are the newest two. Raises `VersionError` if there is no such run."""
        named = dict(zip(BY_TURN, self.runs, strict=False)) | {run.run_id: run for run in self.runs}
        if run_id in named:
            return named[run_id]
        latest = ", ".join(run.run_id for run in self.runs[:5]) or "none"
        raise VersionError(f"no run {run_id!r} is recorded; the latest are {latest}.")


def read_history(artifacts: Artifacts) -> History:
    """Every run of the ledger, with what it came to."""
    artifacts, damaged, runs = cache(artifacts), [], []
    for run_id in artifacts(RUN_RECORD).list_versions(full_path=False):
        run = _read(artifacts(RUN_RECORD), run_id, lambda record: _understand(record, artifacts, damaged), damaged)
        if run is not None:
            runs.append(run)
    return History(runs, damaged)


def places_of(run: Run, artifacts: Artifacts) -> dict[str, Path]:
    """Where what a run wrote lies, by name in the catalog; without what is no longer there, or has another name now."""
    named = {name: artifacts(name) for name in run.outputs}
    return {
        name: artifact.path_of(run.run_id)
        for name, artifact in named.items()
        if artifact is not None and artifact.has_version(run.run_id)
    }


def warn_of_test_images(first: Run, second: Run, load: Callable[[str, str], ImageSet]) -> dict[str, str]:
    """By task in which both runs have a verdict, a warning if they were not measured on the same test images.

    `load` gives an artifact by its name and the id of a run that made it or read it, as `Project.load` does.
    """
    tasks = [task for task in first.verdicts if task in second.verdicts]
    warnings = {task: _warn_of_test_images(f"{task}.real_images", (first, second), load) for task in tasks}
    return {task: warning for task, warning in warnings.items() if warning is not None}


def _warn_of_test_images(name: str, runs: tuple[Run, Run], load: Callable[[str, str], ImageSet]) -> str | None:
    try:
        tested = [set(load(name, run.run_id).where(split="test").index["sha256"]) for run in runs]
    except (VersionError, DatasetError) as error:
        return f"whether both were measured on the same test images cannot be told: {error}"
    return compare_test_images(*tested)


def _understand(record: dict[str, Any], artifacts: Artifacts, damaged: list[str]) -> Run:
    records: RunRecordDataset = artifacts(RUN_RECORD)
    is_alive = record["status"] == "running" and records.lock(record["run_id"]).is_held()
    results = {task: _result_of(record, task, artifacts, damaged) for task in tasks_of(record)}
    return Run.of(record, results, is_alive=is_alive)


def _result_of(record: dict[str, Any], task: str, artifacts: Artifacts, damaged: list[str]) -> TaskResult:
    run_id, written = record["run_id"], outputs_of(record)
    studies = {
        study: _read(artifacts(f"{task}.{study}"), run_id, dict, damaged)
        for study in STUDIES
        if f"{task}.{study}" in written
    }
    return TaskResult(
        verdict=_read(artifacts(f"{task}.comparison"), run_id, Verdict.of, damaged),
        images_made=count_images(record, task),
        images_accepted=_read(artifacts(f"{task}.filter_calibration"), run_id, count_accepted, damaged),
        studies={study: document for study, document in studies.items() if document is not None},
    )


def _read(
    artifact: VersionedArtifact, run_id: str, understand: Callable[[dict[str, Any]], Read], damaged: list[str]
) -> Read | None:
    """What the JSON file of a run says; None where the run has none, or a damaged one, which is then named."""
    path = artifact.path_of(run_id)
    if not artifact.has_version(run_id):
        return None
    try:
        return understand(json.loads(path.read_text()))
    except NOT_AS_WRITTEN as error:
        damaged.append(f"{path} cannot be read ({type(error).__name__}: {error}).")
        return None
