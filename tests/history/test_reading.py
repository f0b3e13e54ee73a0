import time

import pytest
from dose_response import dose_cases
from factories import real_image_set
from history.history_cases import CALIBRATION, COMMIT, catalog, comparison, record, store

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.history.reading import places_of, read_history, warn_of_test_images


def test_a_finished_run_comes_with_its_verdict_and_its_images(tmp_path):
    store(tmp_path, record(), comparison=comparison(0.9), filter_calibration=CALIBRATION)
    history = read_history(catalog(tmp_path).get)
    (run,) = history.runs
    assert (run.run_id, run.status, run.last.code, history.damaged) == ("a", "finished", COMMIT[:10], [])
    result = run.results["classification"]
    assert (result.images_made, result.images_accepted) == (100, 42)
    assert result.verdict.word == "helped"
    assert result.verdict.difference.mean == pytest.approx(
        result.verdict.arms["augmented"].mean - result.verdict.arms["real_only"].mean
    )
    assert run.seconds_per_stage == {"classification synthesis": 60.0, "classification evaluation": 2.0}


def test_runs_are_listed_last_begun_first_whatever_they_are_called_and_whatever_the_clock_said(tmp_path):
    for run_id, day in (("b", 2), ("c", 3), ("a", 1)):
        store(tmp_path, record(run_id, started=f"2026-01-0{day}T00:00:00+00:00"))
    history = read_history(catalog(tmp_path).get)
    assert [run.run_id for run in history.runs] == ["a", "c", "b"]
    assert [history.find(name).run_id for name in ("b", "last", "previous")] == ["b", "a", "c"]
    with pytest.raises(VersionError, match="no run 'd' is recorded; the latest are a, c, b"):
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
    assert (run.last.error, len(run.attempts), run.started.month) == ("disk", 2, 1)


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
        run_record = record(f"run-{number}", parameters={"classification": padding})
        store(tmp_path, run_record, comparison=comparison(0.9), filter_calibration=CALIBRATION)
    started = time.process_time()
    history = read_history(catalog(tmp_path).get)
    assert time.process_time() - started < 1
    assert len(history.runs) == 200
    assert history.damaged == []


def test_a_pruned_run_says_so_whatever_it_came_to(tmp_path):
    store(tmp_path, record(pruned="2026-03-01T00:00:00+00:00"))
    (run,) = read_history(catalog(tmp_path).get).runs
    assert run.status == "pruned"


def test_what_studies_found_is_read_with_the_run_that_wrote_it(tmp_path):
    document = dose_cases.document(tmp_path / "study")
    nodes = record()["nodes"] | {
        "classification.find": {"tags": [], "seconds": 0, "outputs": {"classification.dose_response": {}}}
    }
    store(tmp_path, record("a", nodes=nodes), dose_response=document)
    store(tmp_path, record("b"))
    history = read_history(catalog(tmp_path).get)
    assert history.find("a").results["classification"].studies["dose_response"]["worth"] == document["worth"]
    assert history.find("b").results["classification"].studies == {}


def test_the_time_of_a_run_is_that_of_its_attempts_or_of_its_nodes_where_one_was_killed(tmp_path):
    start = record()["attempts"][0]
    ended = start | {"finished": "2026-01-01T12:10:00+00:00", "machine": {"host": "vm", "device": "cpu"}}
    store(tmp_path, record("ended", attempts=[ended, start]))
    store(tmp_path, record("killed", "running"))
    history = read_history(catalog(tmp_path).get)
    assert (history.find("ended").seconds, history.find("ended").device) == (600, "cpu")
    assert (history.find("killed").seconds, history.find("killed").device) == (62, None)


def test_only_what_is_still_there_has_a_place(tmp_path):
    store(tmp_path, record(), comparison=comparison(0.9))
    datasets = catalog(tmp_path)
    (run,) = read_history(datasets.get).runs
    assert places_of(run, datasets.get) == {
        "classification.comparison": datasets.get("classification.comparison").path_of("a")
    }


def test_runs_on_other_test_images_are_warned_of(tmp_path):
    for run_id in "ab":
        store(tmp_path, record(run_id), comparison=comparison(0.9))
    history = read_history(catalog(tmp_path).get)
    a, b = (history.find(run_id) for run_id in "ab")
    small, large = (real_image_set(tmp_path / str(count), {"train": 1, "test": count}) for count in (2, 3))
    assert warn_of_test_images(a, b, lambda name, run_id: small) == {}
    (warning,) = warn_of_test_images(a, b, lambda name, run_id: small if run_id == "a" else large).values()
    assert warning.startswith("test images differ: 4 and 6, 4 of them the same")

    def gone(name: str, run_id: str):
        raise VersionError(f"run {run_id!r} has no {name}")

    assert warn_of_test_images(a, b, gone) == {
        "classification": "whether both were measured on the same test images cannot be told: "
        "run 'a' has no classification.real_images"
    }
