import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from history.history_cases import CALIBRATION, comparison, record
from kedro.framework.startup import bootstrap_project

from diffaug_pipeline.cli import cli

PLACES = {
    "run_record": "08_reporting",
    "comparison": "08_reporting/classification",
    "filter_calibration": "05_filtered/classification",
}


def store(data_root: Path, run_id: str, run_record: dict) -> None:
    """A run as it lies in a data folder."""
    documents = {"run_record": run_record, "comparison": comparison(0.9), "filter_calibration": CALIBRATION}
    for name, document in documents.items():
        path = data_root / PLACES[name] / f"{name}.json" / run_id / f"{name}.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(document))


@pytest.fixture
def runs(project: Path, tmp_path: Path, monkeypatch):
    """`kedro runs` on a data folder of its own."""
    bootstrap_project(project)
    monkeypatch.chdir(project)

    def ask(*words: str) -> Result:
        return CliRunner().invoke(cli, ["runs", *words, "--env", "smoke", "--params", f"data_root={tmp_path}"])

    return ask


def test_runs_are_listed_newest_first_with_verdicts(runs, tmp_path):
    for day, run_id in enumerate(("first", "second", "third"), start=1):
        store(tmp_path, run_id, record(run_id, started=f"2026-01-0{day}T00:00:00+00:00"))
    listed = runs().stdout.splitlines()
    assert [line.split()[0] for line in listed if not line.startswith(" ")] == ["run", "third", "second", "first"]
    assert listed[3].startswith("  classification: helped, top-1 accuracy +")
    limited = runs("--limit", "1").stdout.splitlines()
    assert limited[-1] == "1 of 3 runs; --limit shows more."
    assert runs("ls", "--limit", "1").stdout.splitlines() == limited


def test_a_task_nobody_worked_on_and_an_empty_folder_have_no_runs(runs, tmp_path):
    assert runs().stdout == f"no run is recorded in {tmp_path}.\n"
    store(tmp_path, "a", record())
    assert runs("--task", "detection").stdout == f"no run on detection is recorded in {tmp_path}.\n"
    assert "helped" in runs("--task", "classification").stdout


def test_a_damaged_record_is_named_beside_the_others(runs, tmp_path):
    store(tmp_path, "a", record())
    store(tmp_path, "b", record("b"))
    (tmp_path / "08_reporting" / "run_record.json" / "b" / "run_record.json").write_text("{")
    done = runs()
    assert done.exit_code == 0
    assert "cannot be read (JSONDecodeError" in done.stderr
    assert "helped" in done.stdout


def test_one_run_is_shown_and_an_unknown_one_refused_in_a_sentence(runs, tmp_path):
    store(tmp_path, "a", record())
    shown = runs("show", "last").stdout
    assert shown.startswith("run a: finished\n")
    gone = [line for line in shown.splitlines() if line.endswith("removed")]
    assert [line.split()[0] for line in gone] == ["classification.synthetic_images", "classification.report"]
    refused = runs("show", "b")
    assert (refused.exit_code, refused.stderr) == (1, "Error: no run 'b' is recorded; the latest are a.\n")


def test_two_runs_are_compared_by_name_or_turn(runs, tmp_path):
    store(tmp_path, "old", record("old", parameters={"classification": {"seed": 1}}))
    new = record("new", started="2026-02-01T00:00:00+00:00", parameters={"classification": {"seed": 2}})
    store(tmp_path, "new", new)
    compared = runs("compare", "previous", "last").stdout
    assert compared == runs("compare", "old", "new").stdout
    assert "WARNING: whether both were measured on the same test images cannot be told" in compared
    assert "parameters that differ: 1" in compared


@pytest.mark.slow
def test_five_hundred_runs_are_listed_within_two_seconds_of_work(runs, tmp_path):
    padding = {f"option {number}": number for number in range(1_500)}  # a real record has 50 kB
    for number in range(500):
        run_id = f"run-{number:03d}"
        store(tmp_path, run_id, record(run_id, parameters={"classification": padding}))
    runs()  # imports what it needs
    started = time.process_time()
    done = runs()
    assert time.process_time() - started < 2
    assert done.stdout.splitlines()[-1] == "20 of 500 runs; --limit shows more."
