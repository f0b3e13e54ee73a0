"""Two runs side by side: parameters that differ, results, seconds per stage."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from diffaug_pipeline.evaluation.wording import METRIC_TITLES
from diffaug_pipeline.history.runs import Run, Verdict

ABSENT = "absent"


class Difference(NamedTuple):
    """What two runs have in one place; `ABSENT` where one has nothing."""

    name: str
    first: Any
    second: Any


def differing_parameters(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Values that are not the same in two trees of parameters, by dotted name; lists are values.

    >>> differing_parameters({"a": {"b": 1, "c": [2]}}, {"a": {"b": 1, "c": [3]}, "d": None})
    [Difference(name='a.c', first=[2], second=[3]), Difference(name='d', first='absent', second=None)]
    """
    return [pair for pair in _side_by_side(flatten(first), flatten(second)) if pair.first != pair.second]


def flatten(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Leaves by dotted name; lists are leaves.

    >>> flatten({"a": {"b": 1, "c": {}}})
    {'a.b': 1, 'a.c': {}}
    """
    if isinstance(tree, Mapping) and tree:
        return {name: leaf for key in tree for name, leaf in flatten(tree[key], f"{prefix}{key}.").items()}
    return {prefix.rstrip("."): tree}


def compare_parameters(first: Run, second: Run) -> list[Difference]:
    """Parameters that differ; a record holds those of all tasks, and those of the tasks worked in come first."""
    tasks = first.results.keys() | second.results.keys()
    differing = differing_parameters(first.parameters, second.parameters)
    return sorted(differing, key=lambda pair: pair.name.partition(".")[0] not in tasks)


def compare_results(first: Run, second: Run, task: str) -> list[Difference]:
    """Verdict, figures (`runs.Estimate`) and what they rest on: figures of different test images do not compare."""
    return _side_by_side(_results_of(first, task), _results_of(second, task))


def compare_seconds(first: Run, second: Run) -> list[Difference]:
    """Seconds per stage, in the order in which the first run went through them."""
    return _side_by_side(first.seconds_per_stage, second.seconds_per_stage)


def compare_code(first: Run, second: Run) -> list[Difference]:
    """Commits, then files of code by their digests, where they differ."""
    return differing_parameters(*({"commit": run.last.code, **run.code_digests} for run in (first, second)))


def compare_libraries(first: Run, second: Run) -> list[Difference]:
    """Versions that differ, of the libraries that the records name."""
    return differing_parameters(first.last.libraries, second.last.libraries)


def compare_test_images(first: set[str], second: set[str]) -> str | None:
    """A warning if two sets of test images, by checksum, are not the same; else None.

    >>> compare_test_images({"a", "b"}, {"a", "b"}), compare_test_images({"a", "b"}, {"b", "c", "d"})
    (None, 'test images differ: 2 and 3, 1 of them the same; figures on different images do not compare.')
    """
    if first == second:
        return None
    return (
        f"test images differ: {len(first):,} and {len(second):,}, {len(first & second):,} of them the same; figures on "
        "different images do not compare."
    )


def _side_by_side(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    names = dict.fromkeys((*first, *second))
    return [Difference(name, first.get(name, ABSENT), second.get(name, ABSENT)) for name in names]


def _results_of(run: Run, task: str) -> dict[str, Any]:
    if task not in run.results:
        return {}
    result = run.results[task]
    images = {"synthetic images": result.images_made, "of them accepted": result.images_accepted}
    judged = {} if result.verdict is None else _figures_of(result.verdict)
    return judged | {name: count for name, count in images.items() if count is not None}


def _figures_of(verdict: Verdict) -> dict[str, Any]:
    title = METRIC_TITLES[verdict.metric]
    return {
        "verdict": verdict.word,
        f"{title}, difference": verdict.difference,
        **{f"{title}, {arm}": estimate for arm, estimate in verdict.arms.items()},
        **{f"{METRIC_TITLES[name]}, difference": estimate for name, estimate in verdict.other_metrics.items()},
        "paired seeds": verdict.seeds,
        "test images": verdict.test_images,
    }
