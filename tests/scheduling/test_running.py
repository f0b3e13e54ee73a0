"""With `kedro run` that fails at once; a schedule that succeeds is run in end_to_end/test_schedule.py."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from kedro.framework.startup import bootstrap_project
from scheduling.schedule_cases import block, write_conf

from diffaug_pipeline.datasets.locking import Lock
from diffaug_pipeline.project import Project
from diffaug_pipeline.scheduling.options import Schedule
from diffaug_pipeline.scheduling.running import FOLDER, parameters_of, run_now

IMPOSSIBLE = {"classification": {"ingestion": {"max_megapixels": -1}, "synthesis": {"strength": [0.3, 0.6]}}}


def schedule(**changes) -> Schedule:
    return Schedule.model_validate(block(**changes), context=["strength_study"])


@pytest.fixture
def opened(project, tmp_path) -> Project:
    bootstrap_project(project)
    return Project("smoke", str(write_conf(tmp_path / "conf")), {"data_root": str(tmp_path / "data")})


def test_a_run_that_fails_is_retried_under_its_id_and_said_to_have_failed(opened):
    told: list[str] = []
    assert not run_now(opened, "nightly", schedule(parameters=IMPOSSIBLE, retries=1), told.append)
    (sentence,) = told
    run_id, _, log = sentence.partition(" has failed; log: ")
    lines = Path(log).read_text().splitlines()
    begun = [line for line in lines if "-m kedro run --config" in line]
    assert len(begun) == 2
    assert all(line.endswith(f"--run-id {run_id}") for line in begun)
    assert any("max_megapixels" in line for line in lines)
    assert Path(log).name == f"nightly-{datetime.now(UTC):%Y-%m-%d}.log"
    assert opened.run_ids() == []


def test_a_schedule_that_is_still_being_run_is_skipped(opened):
    told: list[str] = []
    lock = Lock(opened.data_root / FOLDER / "nightly.lock")
    lock.acquire("the night before is going on")
    try:
        assert run_now(opened, "nightly", schedule(), told.append)
    finally:
        lock.release()
    assert told == ["nightly is skipped: its run before this one is still going on."]
    assert not (opened.data_root / FOLDER / "logs").exists()


def test_parameters_are_those_of_the_schedule_under_those_given_by_hand(opened):
    data_root = opened.runtime_params["data_root"]
    opened.runtime_params["classification"] = {"ingestion": {"max_megapixels": 5}}
    assert parameters_of(opened, schedule(parameters=IMPOSSIBLE)) == {
        "data_root": data_root,
        "classification": {"ingestion": {"max_megapixels": 5}, "synthesis": {"strength": [0.3, 0.6]}},
    }
