"""Runs as lines of text for a terminal: a list, one run, two side by side."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap

from diffaug_pipeline.evaluation.wording import METRIC_TITLES
from diffaug_pipeline.history.differences import (
    Difference,
    compare_code,
    compare_libraries,
    compare_parameters,
    compare_results,
    compare_seconds,
)
from diffaug_pipeline.history.runs import KINDS_OF_IMAGES, Attempt, Run
from diffaug_pipeline.history.tables import show_bytes, show_seconds, show_value, tabulate_differences

WIDTH = 100
INDENT = "  "
GAP = "  "
LISTED = ("run", "status", "started (UTC)", "took", "images made", "written")
FOR_OTHERS = (".report", ".exported_dataset")
"""Endings of the names of outputs whose places are worth a line."""


def list_runs(runs: Iterable[Run], task: str | None = None) -> list[str]:
    """A row of `LISTED` for each run, and below it what ran, verdicts, and what studies found; of `task` alone."""
    runs = list(runs)
    heads = align([LISTED, *map(_row, runs)])
    lines = heads[:1]
    for head, run in zip(heads[1:], runs, strict=True):
        lines += [head, *_indented("; ".join(_circumstances(run)))]
        for name, outcome in _outcomes(run, task):
            lines += _indented(f"{name}: {outcome}")
    return lines


def describe_run(run: Run, places: Mapping[str, Path]) -> list[str]:
    """All about one run; `places` are those of outputs that are still there, by catalog name."""
    from diffaug_pipeline.history.findings import describe_findings

    lines = [f"run {run.run_id}: {run.status}", *_indented("; ".join([*_circumstances(run), *_code(run)]))]
    for number, attempt in enumerate(run.attempts, start=1):
        lines += _indented(f"attempt {number}: {_describe_attempt(attempt)}")
    for task, sentence in describe_findings(run):
        lines += _indented(f"{task}: {sentence}")
    stages = [(stage, show_seconds(seconds)) for stage, seconds in run.seconds_per_stage.items()]
    written = [(name, *_size(output), "" if name in places else "removed") for name, output in run.outputs.items()]
    lines += _section("time in nodes", align(stages)) + _section("written", align(written))
    kept = [str(path) for name, path in places.items() if name.endswith(FOR_OTHERS)]
    return lines + _section("reports and datasets", kept)


def compare_runs(first: Run, second: Run, warnings: Mapping[str, str]) -> list[str]:
    """Results on shared tasks, parameters, code, libraries and time, two columns each.

    `warnings`, by task, stand above its results.
    """
    shared = [task for task in first.results if task in second.results]
    lines = [] if shared else ["results: the runs share no task"]
    for task in shared:
        warning = wrap(f"WARNING: {warnings[task]}", WIDTH - len(INDENT)) if task in warnings else []
        rows = _side_by_side(first, second, compare_results(first, second, task))
        lines += _section(f"results on {task}", warning + rows)
    differing = {
        "parameters": compare_parameters(first, second),
        "code": compare_code(first, second),
        "libraries": compare_libraries(first, second),
    }
    for what, pairs in differing.items():
        title = f"{what} that differ: {len(pairs)}"
        lines += _section(title, _side_by_side(first, second, pairs)) or [title]
    return lines + _section("time in nodes", _side_by_side(first, second, compare_seconds(first, second), show_seconds))


def align(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows of equally many cells as lines with columns.

    >>> align([("a", "bc", "d"), ("efg", "h", "")])
    ['a    bc  d', 'efg  h']
    """
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(run: Run) -> tuple[str, ...]:
    return (
        run.run_id,
        run.status,
        f"{run.started:%Y-%m-%d %H:%M}",
        show_seconds(run.seconds),
        f"{run.images_made:,}",
        show_bytes(run.bytes_written),
    )


def _outcomes(run: Run, task: str | None) -> Iterator[tuple[str, str]]:
    results = {name: result for name, result in run.results.items() if task in (None, name)}
    for name, result in results.items():
        if result.verdict is not None:
            yield name, f"{result.verdict.word}, {METRIC_TITLES[result.verdict.metric]} {result.verdict.difference}"
    if any(result.studies for result in results.values()):
        from diffaug_pipeline.history.findings import describe_study

        for name, result in results.items():
            yield from ((name, describe_study(study, document)) for study, document in result.studies.items())


def _circumstances(run: Run) -> Iterator[str]:
    yield ", ".join(run.pipelines) or "__default__"
    if run.env:
        yield f"environment {run.env}"
    if run.device:
        yield f"on {run.device}"


def _code(run: Run) -> Iterator[str]:
    if run.last.code:
        yield f"code {run.last.code}"


def _describe_attempt(attempt: Attempt) -> str:
    length = f", {show_seconds(attempt.seconds)}" if attempt.finished else ""
    where = f" on {attempt.host}" if attempt.host else ""
    error = f": {attempt.error}" if attempt.error else ""
    return f"{attempt.started:%Y-%m-%d %H:%M:%S}{length}{where}, {attempt.status or 'not ended'}{error}"


def _size(output: Mapping[str, int]) -> tuple[str, str]:
    images = [f"{output[kind]:,} {kind.removeprefix('images_')}" for kind in KINDS_OF_IMAGES if output.get(kind)]
    return show_bytes(output.get("bytes", 0)), f"images: {', '.join(images)}" if images else ""


def _side_by_side(first: Run, second: Run, pairs: list[Difference], show: Callable = show_value) -> list[str]:
    return align([("", first.run_id, second.run_id), *tabulate_differences(pairs, show)]) if pairs else []


def _section(title: str, lines: list[str]) -> list[str]:
    return [title, *(INDENT + line for line in lines)] if lines else []


def _indented(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=INDENT, subsequent_indent=2 * INDENT)
