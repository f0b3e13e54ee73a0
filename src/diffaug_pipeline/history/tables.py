"""Runs and their differences as rows of text, for whatever shows them."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from diffaug_pipeline.evaluation.wording import BASELINE, METRIC_TITLES, TREATMENT
from diffaug_pipeline.history.differences import ABSENT, Difference
from diffaug_pipeline.history.runs import Attempt, Run, seconds_per_stage

NOTHING = "–"
SLOWEST_STAGES = 3
RUN_COLUMNS = (
    "run",
    "task",
    "verdict",
    "difference",
    "status",
    "started (UTC)",
    "time in nodes",
    "metric",
    BASELINE,
    TREATMENT,
    "synthetic images",
    "accepted",
    "pipelines",
    "environment",
    "commit",
)


def tabulate_runs(runs: Iterable[Run], task: str | None = None) -> list[list[str]]:
    """A row of `RUN_COLUMNS` for each run and each task it worked in; of `task` alone where one is given."""
    return [_row(run, of_task) for run in runs for of_task in (run.results or (NOTHING,)) if task in (None, of_task)]


def tabulate_differences(differences: Iterable[Difference], show: Callable[[Any], str]) -> list[list[str]]:
    """Rows of a name and what either run has there, as `show` writes it."""
    return [
        [pair.name, *(value if value is ABSENT else show(value) for value in (pair.first, pair.second))]
        for pair in differences
    ]


def show_value(value: Any) -> str:
    """A value as one would write it: figures readably, parameters as in YAML.

    >>> show_value(12_000), show_value(0.5), show_value(None), show_value(["a", True]), show_value("euler")
    ('12,000', '0.5', 'null', '["a", true]', 'euler')
    """
    if value is None or isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False)
    return f"{value:,}" if isinstance(value, int) else str(value)


def show_seconds(seconds: float) -> str:
    """A duration in two units at most.

    >>> show_seconds(0.4), show_seconds(200), show_seconds(7_270)
    ('0.4 s', '3 min 20 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def show_bytes(size: float) -> str:
    """A size in decimal units, as disks are sold.

    >>> show_bytes(120), show_bytes(4_200_000), show_bytes(1_300_000_000)
    ('0 kB', '4 MB', '1.3 GB')
    """
    if size < 1e6:
        return f"{size / 1e3:.0f} kB"
    return f"{size / 1e6:,.0f} MB" if size < 1e9 else f"{size / 1e9:,.1f} GB"


def describe_time(record: Mapping[str, Any]) -> str:
    """How long a run took from its record, over all attempts but killed ones, and its slowest stages.

    >>> attempt = {"started": "2026-11-24T20:00:00+00:00", "finished": "2026-11-24T20:01:30+00:00"}
    >>> describe_time({"attempts": [attempt], "nodes": {"detection.merge": {"tags": ["merging"], "seconds": 70}}})
    'took 1 min 30 s; slowest: detection merging 1 min 10 s'
    """
    seconds = sum(Attempt.of(attempt).seconds for attempt in record["attempts"])
    stages = sorted(seconds_per_stage(record["nodes"]).items(), key=lambda stage: -stage[1])[:SLOWEST_STAGES]
    slowest = ", ".join(f"{stage} {show_seconds(of_stage)}" for stage, of_stage in stages)
    return f"took {show_seconds(seconds)}; slowest: {slowest}"


def _row(run: Run, task: str) -> list[str]:
    result, verdict = run.results.get(task), run.verdicts.get(task)
    cells = {
        "run": run.run_id,
        "task": task,
        "status": run.status,
        "started (UTC)": f"{run.started:%Y-%m-%d %H:%M}",
        "time in nodes": show_seconds(run.seconds_of(task)),
        "pipelines": ", ".join(run.pipelines) or "__default__",
        "environment": run.env or NOTHING,
        "commit": run.last.code or NOTHING,
    }
    if verdict is not None:
        arms = {arm: str(verdict.arms[arm]) for arm in (verdict.baseline, verdict.treatment)}
        metric = METRIC_TITLES[verdict.metric]
        cells |= {"verdict": verdict.word, "difference": str(verdict.difference), "metric": metric, **arms}
    if result is not None:
        images = {"synthetic images": result.images_made, "accepted": result.images_accepted}
        cells |= {name: f"{count:,}" for name, count in images.items() if count is not None}
    return [cells.get(column, NOTHING) for column in RUN_COLUMNS]
