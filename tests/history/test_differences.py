from history.history_cases import comparison, record

from diffaug_pipeline.history.differences import (
    ABSENT,
    Difference,
    compare_code,
    compare_libraries,
    compare_parameters,
    compare_results,
    compare_seconds,
    differing_parameters,
)
from diffaug_pipeline.history.runs import Run, TaskResult, Verdict


def run(accuracy: float | None, images: tuple[int | None, int | None] = (100, 42), **changes) -> Run:
    verdict = None if accuracy is None else Verdict.of(comparison(accuracy))
    return Run.of(record(**changes), {"classification": TaskResult(verdict, *images, {})}, is_alive=False)


def test_only_parameters_that_differ_are_named_by_their_path():
    first = {"a": {"steps": 10, "scheduler": "ddim"}, "workers": None, "same": [1, {"x": 2}]}
    second = {"a": {"steps": 20, "scheduler": "ddim"}, "same": [1, {"x": 2}], "new": {"deep": False}}
    assert differing_parameters(first, second) == [
        Difference("a.steps", 10, 20),
        Difference("workers", None, ABSENT),
        Difference("new.deep", ABSENT, False),
    ]
    assert differing_parameters(first, first) == []


def test_parameters_of_the_tasks_that_were_worked_in_come_first():
    first, second = (
        run(None, parameters={"detection": {"steps": steps}, "classification": {"seed": steps}}) for steps in (1, 2)
    )
    assert [pair.name for pair in compare_parameters(first, second)] == ["classification.seed", "detection.steps"]


def test_results_stand_side_by_side():
    first, second = run(0.9), run(0.72, (200, None))
    pairs = {pair.name: (pair.first, pair.second) for pair in compare_results(first, second, "classification")}
    assert pairs["verdict"] == ("helped", "inconclusive")
    assert pairs["test images"] == (400, 400)
    assert pairs["synthetic images"] == (100, 200)
    assert pairs["of them accepted"] == (42, ABSENT)
    measured = [one.verdicts["classification"] for one in (first, second)]
    assert pairs["top-1 accuracy, difference"] == tuple(verdict.difference for verdict in measured)
    assert pairs["top-1 accuracy, augmented"] == tuple(verdict.arms["augmented"] for verdict in measured)
    assert str(pairs["macro F1, difference"][0]).endswith("]")


def test_a_run_without_a_verdict_or_without_the_task_leaves_gaps():
    pairs = {pair.name: pair.second for pair in compare_results(run(0.9), run(None), "classification")}
    assert (pairs["verdict"], pairs["synthetic images"]) == (ABSENT, 100)
    assert compare_results(run(0.9), run(0.9), "detection") == []


def test_seconds_per_stage_stand_side_by_side():
    nodes = {"classification.train_classifiers": {"tags": ["training"], "seconds": 3, "outputs": {}}}
    assert compare_seconds(run(None), run(None, nodes=nodes)) == [
        Difference("classification synthesis", 60.0, ABSENT),
        Difference("classification evaluation", 2.0, ABSENT),
        Difference("classification training", ABSENT, 3.0),
    ]


def test_code_and_libraries_that_differ_are_named():
    attempt = record()["attempts"][0]
    first = run(None, attempts=[attempt | {"libraries": {"torch": "2.14", "numpy": "2"}}], code_digests={"a.py": "1"})
    changed = attempt | {"code": {"commit": "f" * 40, "changed": True}, "libraries": {"torch": "2.15", "numpy": "2"}}
    second = run(None, attempts=[changed], code_digests={"a.py": "2", "b.py": "3"})
    assert compare_code(first, second) == [
        Difference("commit", "0123456789", "ffffffffff with changes"),
        Difference("a.py", "1", "2"),
        Difference("b.py", ABSENT, "3"),
    ]
    assert compare_libraries(first, second) == [Difference("torch", "2.14", "2.15")]
    assert compare_code(first, first) == compare_libraries(first, first) == []
