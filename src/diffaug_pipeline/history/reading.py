"""The history as the catalog's artifacts hold it; of each run only small JSON files are read."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias, TypeVar

from diffaug_pipeline.datasets.artifact import VersionedArtifact
from diffaug_pipeline.datasets.run_record import RunRecordDataset
from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.history.runs import Run, TaskResult, Verdict, count_accepted, count_images, tasks_of
from diffaug_pipeline.session import RUN_RECORD

Artifacts: TypeAlias = Callable[[str], VersionedArtifact]
"""By name in the catalog, e.g. `DataCatalog.get`."""
Read = TypeVar("Read")
NOT_AS_WRITTEN = (AttributeError, IndexError, KeyError, OSError, TypeError, ValueError)
"""What reading raises where a file is not what was once written."""


@dataclass(frozen=True)
class History:
    """All runs that are recorded."""

    runs: list[Run]
    """Newest first."""
    damaged: list[str]
    """A sentence for each file that cannot be read; its run is listed without it, or not at all."""

    def find(self, run_id: str) -> Run:
        """Raises `VersionError` if there is no such run."""
        for run in self.runs:
            if run.run_id == run_id:
                return run
        latest = ", ".join(run.run_id for run in self.runs[:5]) or "none"
        raise VersionError(f"no run {run_id!r} is recorded; the latest are {latest}.")


def read_history(artifacts: Artifacts) -> History:
    """Every run of the ledger, with what it came to."""
    artifacts, damaged, runs = cache(artifacts), [], []
    for run_id in artifacts(RUN_RECORD).list_versions(full_path=False):
        run = _read(artifacts(RUN_RECORD), run_id, lambda record: _understand(record, artifacts, damaged), damaged)
        if run is not None:
            runs.append(run)
    return History(sorted(runs, key=lambda run: run.started, reverse=True), damaged)


def _understand(record: dict[str, Any], artifacts: Artifacts, damaged: list[str]) -> Run:
    records: RunRecordDataset = artifacts(RUN_RECORD)
    is_alive = record["status"] == "running" and records.lock(record["run_id"]).is_held()
    results = {task: _result_of(record, task, artifacts, damaged) for task in tasks_of(record)}
    return Run.of(record, results, is_alive=is_alive)


def _result_of(record: dict[str, Any], task: str, artifacts: Artifacts, damaged: list[str]) -> TaskResult:
    run_id = record["run_id"]
    return TaskResult(
        verdict=_read(artifacts(f"{task}.comparison"), run_id, Verdict.of, damaged),
        images_made=count_images(record, task),
        images_accepted=_read(artifacts(f"{task}.filter_calibration"), run_id, count_accepted, damaged),
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
