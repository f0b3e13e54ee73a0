"""Earlier runs: what was left unfinished, and whether clocks agree."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from diffaug_pipeline.datasets.run_record import RunRecordDataset
from diffaug_pipeline.doctor.finding import Finding
from diffaug_pipeline.history.reading import History
from diffaug_pipeline.history.runs import UNFINISHED
from diffaug_pipeline.resume import resume_command

MOST_NAMED = 5
TOLERANCE = timedelta(minutes=1)
"""Of clocks on machines that share a folder."""


def check_unfinished(history: History, records: RunRecordDataset) -> Iterator[Finding]:
    """Records that cannot be read, and runs that can be gone on with, newest first."""
    for sentence in history.damaged:
        yield Finding("advice", sentence, "restore the file, or delete it and do without.")
    unfinished = [run for run in history.runs if run.status in UNFINISHED]
    for run in unfinished[:MOST_NAMED]:
        command = resume_command(Path.cwd(), records.read(run.run_id))
        yield Finding("advice", f"run {run.run_id} was left {run.status}", f"{command} finishes it.")
    if len(unfinished) > MOST_NAMED:
        further = len(unfinished) - MOST_NAMED
        yield Finding("advice", f"{further} more runs were left unfinished", "`kedro runs` lists them.")
    if not unfinished:
        yield Finding("ok", f"{len(history.runs):,} recorded, none left unfinished")


def check_clock(history: History, records: RunRecordDataset) -> Iterator[Finding]:
    """Whether something was written later than now: the latest run would then not be taken for the latest."""
    now = datetime.now(UTC)
    times = {run.run_id: max(run.started, _written(records, run.run_id)) for run in history.runs}
    later = [run_id for run_id, time in times.items() if time > now + TOLERANCE]
    if later:
        yield Finding(
            "problem",
            f"by this machine's clock it is {now:%Y-%m-%d %H:%M} UTC, and run {later[0]} was written after that",
            "set the clock: until it has caught up, new runs would count as older than that one.",
        )
    else:
        yield Finding("ok", f"{now:%Y-%m-%d %H:%M} UTC, later than every run")


def _written(records: RunRecordDataset, run_id: str) -> datetime:
    return datetime.fromtimestamp(records.path_of(run_id).stat().st_mtime, UTC)
