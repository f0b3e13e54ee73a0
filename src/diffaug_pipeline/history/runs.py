"""What the ledger and the results of a run say about it; knows neither Kedro nor where they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diffaug_pipeline.evaluation.wording import in_points

KILLED = "killed"
"""The status of a run whose record says `running` and whose process is gone."""
PRUNED = "pruned"
"""The status of a run whose artifacts were removed; its record says when under this name."""
UNFINISHED = ("failed", "interrupted", KILLED)
"""Statuses of runs that can be resumed."""
STUDIES = ("dose_response", "robustness")
"""Documents that studies of a run write."""
SYNTHETIC_IMAGES = ".synthetic_images"
MADE_HERE = ("images_made", "images_kept")
"""What a run counts of images that it made, in its last attempt and in earlier ones."""
KINDS_OF_IMAGES = (*MADE_HERE, "images_reused")


@dataclass(frozen=True)
class Estimate:
    """A share, or the difference of two, with its interval.

    >>> str(Estimate(0.721, 0.699, 0.743)), str(Estimate(0.038, -0.019, 0.095, is_difference=True))
    ('72.1 % [69.9, 74.3]', '+3.8 points [-1.9, +9.5]')
    """

    mean: float
    low: float
    high: float
    is_difference: bool = False

    @classmethod
    def of(cls, document: Mapping[str, Any], mean: str = "mean", *, is_difference: bool = False) -> "Estimate":
        """From a part of a comparison that holds `interval` and, by the name given, the mean."""
        low, high = document["interval"]
        return cls(float(document[mean]), float(low), float(high), is_difference)

    def __str__(self) -> str:
        if self.is_difference:
            return in_points(self.mean, self.low, self.high)
        return f"{100 * self.mean:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}]"


@dataclass(frozen=True)
class Verdict:
    """A comparison (`evaluation.comparison`), read."""

    word: str
    """`helped`, `hurt` or `inconclusive`."""
    reason: str
    metric: str
    difference: Estimate
    """Treatment minus baseline."""
    baseline: str
    treatment: str
    arms: dict[str, Estimate]
    other_metrics: dict[str, Estimate]
    """Treatment minus baseline in other metrics."""
    seeds: int
    test_images: int

    @classmethod
    def of(cls, comparison: Mapping[str, Any]) -> "Verdict":
        """Raises KeyError, TypeError or ValueError where `comparison` is none."""
        return cls(
            word=comparison["verdict"],
            reason=comparison["reason"],
            metric=comparison["metric"],
            difference=Estimate.of(comparison, mean="delta", is_difference=True),
            baseline=comparison["baseline"],
            treatment=comparison["treatment"],
            arms={arm: Estimate.of(result) for arm, result in comparison["arms"].items()},
            other_metrics={
                name: Estimate.of(result, is_difference=True) for name, result in comparison["other_metrics"].items()
            },
            seeds=len(comparison["seeds"]),
            test_images=int(comparison["test_images"]),
        )


@dataclass(frozen=True)
class TaskResult:
    """What a run has come to in one task; None where it has not come so far, or was never to."""

    verdict: Verdict | None
    images_made: int | None
    images_accepted: int | None
    studies: dict[str, dict[str, Any]]
    """Documents of `STUDIES` by name."""


@dataclass(frozen=True)
class Attempt:
    """From the start of a run, or its resumption, to where it ended; None where that is not recorded."""

    started: datetime
    finished: datetime | None
    """None where it was killed, or is still running."""
    status: str | None
    error: str | None
    host: str | None
    device: str | None
    """What `device: auto` meant."""
    code: str | None
    """The commit, and whether the code differed from it."""
    libraries: dict[str, str | None]

    @classmethod
    def of(cls, attempt: Mapping[str, Any]) -> "Attempt":
        """From a ledger entry. Raises AttributeError, KeyError, TypeError or ValueError where that holds none."""
        finished, code = attempt.get("finished"), attempt.get("code", {})
        machine = attempt.get("machine", {})
        return cls(
            started=datetime.fromisoformat(attempt["started"]),
            finished=None if finished is None else datetime.fromisoformat(finished),
            status=attempt.get("status"),
            error=attempt.get("error"),
            host=machine.get("host"),
            device=machine.get("device"),
            code=f"{code['commit'][:10]}{' with changes' * bool(code['changed'])}" if code.get("commit") else None,
            libraries=attempt.get("libraries", {}),
        )

    @property
    def seconds(self) -> float:
        """0 where its end is not recorded."""
        return 0.0 if self.finished is None else (self.finished - self.started).total_seconds()


@dataclass(frozen=True)
class Run:
    """One entry of the ledger."""

    run_id: str
    status: str
    """`running`, `finished`, `failed`, `interrupted`, `killed` or `pruned`."""
    attempts: list[Attempt]
    """At least one."""
    env: str | None
    pipelines: list[str]
    """Empty for `__default__`."""
    parameters: dict[str, Any]
    code_digests: dict[str, str]
    """By path in the package."""
    seconds_per_stage: dict[str, float]
    """By `<task> <stage>`, over all attempts; what a killed run spent on its last node is not known."""
    outputs: dict[str, dict[str, Any]]
    """By name of what was written: version, seconds, bytes, counts of images."""
    results: dict[str, TaskResult]
    """By namespace it worked in: `classification`, `detection`, or a study's."""

    @classmethod
    def of(cls, record: Mapping[str, Any], results: dict[str, TaskResult], *, is_alive: bool) -> "Run":
        """From a ledger entry; `is_alive` says whether a process is working on it.

        Raises AttributeError, IndexError, KeyError, TypeError or ValueError where the record is none.
        """
        attempts = [Attempt.of(attempt) for attempt in record["attempts"]]
        if not attempts:
            raise ValueError("it names no attempt")
        status = KILLED if record["status"] == "running" and not is_alive else record["status"]
        return cls(
            run_id=record["run_id"],
            status=PRUNED if PRUNED in record else status,
            attempts=attempts,
            env=record["env"],
            pipelines=list(record["pipelines"] or []),
            parameters=record["parameters"],
            code_digests=record.get("code_digests", {}),
            seconds_per_stage=seconds_per_stage(record["nodes"]),
            outputs=outputs_of(record),
            results=results,
        )

    @property
    def started(self) -> datetime:
        """The first attempt."""
        return self.attempts[0].started

    @property
    def last(self) -> Attempt:
        """The last attempt."""
        return self.attempts[-1]

    @property
    def seconds(self) -> float:
        """At least so long it took, over all attempts; of one that was killed only its finished nodes are known."""
        return max(sum(attempt.seconds for attempt in self.attempts), sum(self.seconds_per_stage.values()))

    @property
    def device(self) -> str | None:
        """That of the last attempt which recorded one."""
        return next((attempt.device for attempt in reversed(self.attempts) if attempt.device), None)

    @property
    def images_made(self) -> int:
        """Synthetic images, without those taken from other runs."""
        of_tasks = [output for name, output in self.outputs.items() if name.endswith(SYNTHETIC_IMAGES)]
        return sum(output.get(kind, 0) for output in of_tasks for kind in MADE_HERE)

    @property
    def bytes_written(self) -> int:
        """Links to what earlier runs have written count too."""
        return sum(output.get("bytes", 0) for output in self.outputs.values())

    def seconds_of(self, task: str) -> float:
        """Spent in nodes of `task`, over all attempts."""
        return sum(seconds for stage, seconds in self.seconds_per_stage.items() if stage.partition(" ")[0] == task)

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """By task."""
        return {task: result.verdict for task, result in self.results.items() if result.verdict is not None}

    def named(self, ending: str) -> list[str]:
        """Catalog names of what it wrote that end in `ending`, e.g. `_figure`."""
        return [name for name in self.outputs if name.endswith(ending)]


def outputs_of(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the run wrote, by catalog name, in the order in which it was written."""
    return {name: output for node in record["nodes"].values() for name, output in node["outputs"].items()}


def tasks_of(record: Mapping[str, Any]) -> list[str]:
    """The namespaces a run worked in: `classification`, `detection`, or a study's.

    >>> tasks_of({"nodes": {"detection.merge": {}, "detection.augmented.merge": {}, "scheduler_study.score": {}}})
    ['detection', 'scheduler_study']
    """
    return list(dict.fromkeys(node.partition(".")[0] for node in record["nodes"]))


def count_images(record: Mapping[str, Any], task: str) -> int | None:
    """How many synthetic images of `task` the run has, made, kept from an earlier attempt or taken from another run."""
    output = outputs_of(record).get(f"{task}{SYNTHETIC_IMAGES}")
    return None if output is None else sum(output.get(kind, 0) for kind in KINDS_OF_IMAGES)


def count_accepted(calibration: Mapping[str, Any]) -> int:
    """How many synthetic images passed, from what a filter says about itself; that of classification says it by class.

    >>> count_accepted({"accepted": {"cat": {"made": 8, "accepted": 5}, "dog": {"made": 8, "accepted": 2}}})
    7
    """
    accepted = calibration["accepted"]
    return accepted if isinstance(accepted, int) else sum(of_class["accepted"] for of_class in accepted.values())


def seconds_per_stage(nodes: Mapping[str, Any]) -> dict[str, float]:
    """Seconds in nodes by `<task> <stage>`, from the nodes of a record.

    >>> seconds_per_stage({"detection.merge": {"tags": ["merging"], "seconds": 2}})
    {'detection merging': 2.0}
    """
    stages: dict[str, float] = {}
    for name, node in nodes.items():
        task = name.partition(".")[0]
        stage = " ".join(dict.fromkeys((task, *node["tags"])))
        stages[stage] = stages.get(stage, 0.0) + float(node["seconds"])
    return stages
