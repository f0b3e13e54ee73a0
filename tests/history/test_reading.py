import time

import pytest
from history.history_cases import CALIBRATION, catalog, comparison, record, store

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.history.reading import read_history


def test_a_finished_run_comes_with_its_verdict_and_its_images(tmp_path):
    store(tmp_path, record(), comparison=comparison(0.9), filter_calibration=CALIBRATION)
    history = read_history(catalog(tmp_path).get)
    (run,) = history.runs
    assert (run.run_id, run.status, run.commit[:4], history.damaged) == ("a", "finished", "0123", [])
    result = run.results["classification"]
    assert (result.images_made, result.images_accepted) == (100, 42)
    assert result.verdict.word == "helped"
    assert result.verdict.difference.mean == pytest.approx(
        result.verdict.arms["augmented"].mean - result.verdict.arms["real_only"].mean
    )
    assert run.seconds_per_stage == {"classification synthesis": 60.0, "classification evaluation": 2.0}


def test_runs_are_listed_newest_first_whatever_they_are_called_and_whenever_they_were_written(tmp_path):
    for run_id, day in (("b", 2), ("c", 3), ("a", 1)):
        store(tmp_path, record(run_id, started=f"2026-01-0{day}T00:00:00+00:00"))
    history = read_history(catalog(tmp_path).get)
    assert [run.run_id for run in history.runs] == ["c", "b", "a"]
    assert history.find("b").run_id == "b"
    with pytest.raises(VersionError, match="no run 'd' is recorded; the latest are c, b, a"):
        history.find("d")


def test_a_run_whose_process_is_gone_was_killed_and_one_that_holds_its_lock_is_running(tmp_path):
    store(tmp_path, record("dead", "running"))
    store(tmp_path, record("alive", "running"))
    lock = catalog(tmp_path).get("run_record").lock("alive")
    lock.acquire("the test is being run")
    statuses = {run.run_id: run.status for run in read_history(catalog(tmp_path).get).runs}
    lock.release()
    assert statuses == {"dead": "killed", "alive": "running"}
    assert {run.status for run in read_history(catalog(tmp_path).get).runs} == {"killed"}


def test_a_run_that_did_nothing_yet_is_listed(tmp_path):
    store(tmp_path, record(status="failed", nodes={}))
    (run,) = read_history(catalog(tmp_path).get).runs
    assert (run.status, run.results, run.verdicts, run.seconds_per_stage) == ("failed", {}, {}, {})


def test_why_a_run_failed_is_that_of_its_last_attempt(tmp_path):
    attempts = record()["attempts"]
    failed = [attempts[0] | {"error": "first"}, attempts[0] | {"started": "2026-02-01T00:00:00+00:00", "error": "disk"}]
    store(tmp_path, record(status="failed", attempts=failed))
    (run,) = read_history(catalog(tmp_path).get).runs
    assert (run.error, run.attempts, run.started.month) == ("disk", 2, 1)


@pytest.mark.parametrize("content", ['{"run_id": "bro', "[]", "null", "{}", '{"run_id": "b", "nodes": 3}', "\udcff"])
def test_a_damaged_record_is_named_and_hides_no_other(tmp_path, content):
    store(tmp_path, record("whole"))
    store(tmp_path, record("broken"))
    path = tmp_path / "run_record.json" / "broken" / "run_record.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    history = read_history(catalog(tmp_path).get)
    assert [run.run_id for run in history.runs] == ["whole"]
    (sentence,) = history.damaged
    assert sentence.startswith(f"{path} cannot be read (")


@pytest.mark.parametrize("broken", [{}, {"verdict": "helped"}, comparison(0.9) | {"interval": [0.1]}])
def test_a_damaged_comparison_is_named_and_its_run_listed_without_it(tmp_path, broken):
    store(tmp_path, record(), comparison=broken, filter_calibration=CALIBRATION)
    history = read_history(catalog(tmp_path).get)
    (run,) = history.runs
    assert run.verdicts == {}
    assert run.results["classification"].images_accepted == 42
    (sentence,) = history.damaged
    assert sentence.startswith(f"{catalog(tmp_path).get('classification.comparison').path_of('a')} cannot be read (")


def test_two_hundred_runs_are_read_in_under_a_second(tmp_path):
    padding = {f"option {number}": number for number in range(1_500)}  # a real record has 35 kB
    for number in range(200):
        run_record = record(f"run {number}", parameters={"classification": padding})
        store(tmp_path, run_record, comparison=comparison(0.9), filter_calibration=CALIBRATION)
    started = time.process_time()
    history = read_history(catalog(tmp_path).get)
    assert time.process_time() - started < 1
    assert len(history.runs) == 200
    assert history.damaged == []
