from history.history_cases import comparison, record

from diffaug_pipeline.history.differences import ABSENT, Difference
from diffaug_pipeline.history.runs import Estimate, Run, TaskResult, Verdict
from diffaug_pipeline.history.tables import RUN_COLUMNS, show_value, tabulate_differences, tabulate_runs


def rows(run: Run, task: str | None = None) -> list[dict[str, str]]:
    return [dict(zip(RUN_COLUMNS, row, strict=True)) for row in tabulate_runs([run], task)]


def test_a_run_has_a_row_for_each_of_its_tasks_and_one_if_it_has_none():
    results = {
        "classification": TaskResult(Verdict.of(comparison(0.9)), 1_200, 42, {}),
        "detection": TaskResult(None, 7, None, {}),
    }
    run = Run.of(record(), results, is_alive=False)
    judged, unjudged = rows(run)
    assert (judged["task"], judged["verdict"], judged["metric"]) == ("classification", "helped", "top-1 accuracy")
    assert (judged["synthetic images"], judged["accepted"], judged["time in nodes"]) == ("1,200", "42", "1 min 2 s")
    assert judged["difference"] == str(run.verdicts["classification"].difference)
    assert judged["started (UTC)"] == "2026-01-01 12:00"
    assert (unjudged["task"], unjudged["verdict"], unjudged["augmented"]) == ("detection", "–", "–")
    assert (unjudged["synthetic images"], unjudged["accepted"], unjudged["time in nodes"]) == ("7", "–", "0.0 s")
    assert [row["task"] for row in rows(run, "detection")] == ["detection"]
    (empty,) = rows(Run.of(record(nodes={}, pipelines=None, status="running"), {}, is_alive=False))
    assert (empty["task"], empty["status"], empty["pipelines"]) == ("–", "killed", "__default__")
    assert rows(Run.of(record(nodes={}), {}, is_alive=False), "detection") == []


def test_code_that_differed_from_the_commit_says_so():
    attempts = [record()["attempts"][0] | {"code": {"commit": "f" * 40, "changed": True}}]
    unknown = [record()["attempts"][0] | {"code": {"commit": None, "changed": None}}]
    commits = [rows(Run.of(record(attempts=one), {}, is_alive=False))[0]["commit"] for one in (attempts, unknown)]
    assert commits == ["ffffffffff with changes", "–"]


def test_differences_are_written_out():
    pairs = [Difference("a", Estimate(0.5, 0.4, 0.6), ABSENT), Difference("b", None, 20_000)]
    assert tabulate_differences(pairs, show_value) == [["a", "50.0 % [40.0, 60.0]", "absent"], ["b", "null", "20,000"]]
