from pathlib import Path

from dose_response import dose_cases
from history.history_cases import comparison, record

from diffaug_pipeline.history.runs import Run, TaskResult, Verdict
from diffaug_pipeline.history.text import WIDTH, compare_runs, describe_run, list_runs


def run(accuracy: float | None = 0.9, studies: dict | None = None, **changes) -> Run:
    verdict = None if accuracy is None else Verdict.of(comparison(accuracy))
    results = {"classification": TaskResult(verdict, 100, 42, studies or {}), "detection": TaskResult(None, 7, 5, {})}
    return Run.of(record(**changes), results, is_alive=False)


def test_a_run_is_a_row_with_its_cost_and_below_it_what_it_came_to():
    head, row, circumstances, verdict = list_runs([run(run_id="2026-11-24T20.00.00.000Z")])
    assert head.split() == ["run", "status", "started", "(UTC)", "took", "images", "made", "written"]
    assert " ".join(row.split()) == "2026-11-24T20.00.00.000Z finished 2026-01-01 12:00 1 min 2 s 80 0 kB"
    assert circumstances == "  classification; environment smoke"
    assert verdict == f"  classification: helped, top-1 accuracy {run().verdicts['classification'].difference}"


def test_lines_fit_a_terminal_and_columns_stand_below_each_other(tmp_path):
    studies = {"dose_response": dose_cases.document(tmp_path)}
    lines = list_runs([run(studies=studies), run(None, run_id="a" * 26, status="interrupted")])
    assert max(map(len, lines)) <= WIDTH
    rows = [line for line in lines if not line.startswith(" ")]
    starts = [line.index("2026-01-01") for line in rows[1:]]
    assert starts == [rows[0].index("started")] * 2
    assert any(line.startswith("  classification: Use ") for line in lines)


def test_only_the_task_asked_for_is_told_of():
    assert not any("helped" in line for line in list_runs([run()], "detection"))


def test_one_run_is_shown_with_attempts_outputs_and_where_its_reports_are():
    start = record()["attempts"][0]
    attempts = [
        start | {"finished": "2026-01-01T12:00:30+00:00", "status": "failed", "error": "the disk is full"},
        start | {"machine": {"host": "vm", "device": "cpu, 2 threads"}},
    ]
    report = Path("/data/report.html")
    lines = describe_run(run(attempts=attempts), {"classification.report": report})
    assert lines[0] == "run a: finished"
    assert lines[1] == "  classification; environment smoke; on cpu, 2 threads; code 0123456789"
    assert lines[2] == "  attempt 1: 2026-01-01 12:00:00, 30.0 s, failed: the disk is full"
    assert lines[3] == "  attempt 2: 2026-01-01 12:00:00 on vm, finished"
    assert lines[4].startswith("  classification: HELPED: ")
    assert "  classification synthesis   1 min 0 s" in lines
    made = next(line for line in lines if line.startswith("  classification.synthetic_images"))
    assert made.endswith("0 kB  images: 70 made, 10 kept, 20 reused  removed")
    assert not next(line for line in lines if line.startswith("  classification.report")).endswith("removed")
    assert lines[-2:] == ["reports and datasets", f"  {report}"]


def test_two_runs_stand_side_by_side():
    steps = {"classification": {"synthesis": {"scheduler": "ddim", "num_inference_steps": 20}}}
    lines = compare_runs(run(), run(0.5, run_id="b", parameters=steps), {"classification": "test images differ."})
    assert lines[:2] == ["results on classification", "  WARNING: test images differ."]
    assert lines[2].split() == ["a", "b"]
    assert lines[3].split() == ["verdict", "helped", "hurt"]
    at = lines.index("parameters that differ: 1")
    assert lines[at + 2].split() == ["classification.synthesis.num_inference_steps", "10", "20"]
    assert "libraries that differ: 0" in lines
    assert lines[-3:][0].split() == ["a", "b"]
    assert lines[-1].split() == ["classification", "evaluation", "2.0", "s", "2.0", "s"]


def test_runs_of_different_tasks_have_no_results_to_compare():
    other = Run.of(record("b"), {"scheduler_study": TaskResult(None, None, None, {})}, is_alive=False)
    assert compare_runs(run(), other, {})[0] == "results: the runs share no task"
