"""Runs a schedule now: what its last run left unfinished first, then a new run, gone on with where it fails."""

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from omegaconf import OmegaConf

from diffaug_pipeline.datasets.locking import Lock
from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.history.findings import describe_findings
from diffaug_pipeline.history.reading import read_history
from diffaug_pipeline.history.runs import KILLED, Run
from diffaug_pipeline.project import Project
from diffaug_pipeline.resume import data_root_of, options_to_run_here
from diffaug_pipeline.scheduling.options import Schedule

FOLDER = "scheduler"
"""In the data folder: logs, locks, and what Dagster keeps."""
UNFINISHED = ("failed", "interrupted", KILLED)


def run_id_of(name: str, moment: datetime) -> str:
    """The id of the run of schedule `name` that begins at `moment`.

    >>> run_id_of("nightly", datetime(2026, 11, 25, 2, 30, tzinfo=UTC))
    'nightly-2026-11-25T02.30.00.000Z'
    """
    return f"{name}-{moment.astimezone(UTC):%Y-%m-%dT%H.%M.%S}.{moment.microsecond // 1000:03d}Z"


def last_run(name: str, runs: list[Run]) -> Run | None:
    """The newest of schedule `name` among `runs`, which are newest first."""
    return next((run for run in runs if run.run_id.startswith(f"{name}-")), None)


def run_now(project: Project, name: str, schedule: Schedule, tell: Callable[[str], None]) -> bool:
    """Whether all went well; does nothing, which is well, while an earlier run of the schedule is still going on.

    Each attempt is a `kedro run` in a process of its own, which may run out of memory; what it prints goes to a file
    per schedule and day. `tell` is told what a person wants to know.
    """
    lock = Lock(project.data_root / FOLDER / f"{name}.lock")
    try:
        lock.acquire(f"schedule {name} is being run")
    except VersionError:
        tell(f"{name} is skipped: its run before this one is still going on.")
        return True
    try:
        return _finish_and_run(project, name, schedule, tell)
    finally:
        lock.release()


def _finish_and_run(project: Project, name: str, schedule: Schedule, tell: Callable[[str], None]) -> bool:
    run_id = run_id_of(name, datetime.now(UTC))
    path = project.data_root / FOLDER / "logs" / f"{name}-{datetime.now(schedule.zone):%Y-%m-%d}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as log, _new_run(project, schedule, run_id) as command:
        attempt = partial(_attempt, log=log, folder=project.folder)
        earlier = last_run(name, read_history(project.artifact).runs)
        if earlier is not None and earlier.status in UNFINISHED:
            is_finished = attempt(_going_on(project, earlier.run_id))
            tell(
                f"{earlier.run_id}, {earlier.status}, {'is finished now' if is_finished else 'could not be finished'}."
            )
        pauses = [0.0] + [60 * schedule.retry_after_minutes] * schedule.retries
        is_finished = any(attempt(command, pause=pause) for pause in pauses)
    tell(f"{run_id} {'is finished' if is_finished else 'has failed'}; log: {path}")
    if is_finished:
        for task, sentence in describe_findings(read_history(project.artifact).find(run_id)):
            tell(f"{task}: {sentence}")
    return is_finished


@contextmanager
def _new_run(project: Project, schedule: Schedule, run_id: str) -> Iterator[list[str]]:
    """The command that begins run `run_id`, and goes on with it when it is given again."""
    choices = {
        "env": project.env,
        "conf_source": str(project.conf_source),
        "pipelines": ",".join(schedule.pipelines),
        "params": parameters_of(project, schedule),
    }
    with TemporaryDirectory() as folder:
        file = Path(folder) / "run.json"
        file.write_text(json.dumps({"run": {key: value for key, value in choices.items() if value is not None}}))
        yield ["--config", str(file), "--run-id", run_id]


def parameters_of(project: Project, schedule: Schedule) -> dict[str, Any]:
    """Those of the schedule, and over them those that the project was opened with."""
    return OmegaConf.to_container(OmegaConf.merge(schedule.parameters, project.runtime_params))


def _going_on(project: Project, run_id: str) -> list[str]:
    found_by = data_root_of(project.runtime_params)
    here = " ".join(options_to_run_here(project.folder, project.env, project.conf_source, found_by))
    return ["--resume", run_id, *shlex.split(here)]


def _attempt(words: list[str], log: IO[str], folder: Path, pause: float = 0) -> bool:
    time.sleep(pause)
    command = [sys.executable, "-m", "kedro", "run", *words]
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC: {shlex.join(command)}", file=log, flush=True)
    return subprocess.run(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, check=False).returncode == 0
