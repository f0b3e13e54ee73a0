import json
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from history.history_cases import record
from kedro.framework.startup import bootstrap_project

from diffaug_pipeline.app.reports import add_reports, address_of
from diffaug_pipeline.project import Project

REPORT = "classification.report"
SECRET = "for nobody to read"


@pytest.fixture
def opened(project: Path, tmp_path: Path) -> Project:
    bootstrap_project(project)
    return Project(env="smoke", runtime_params={"data_root": str(tmp_path / "data")})


@pytest.fixture
def client(opened: Project) -> TestClient:
    server = FastAPI()
    add_reports(server, opened)
    return TestClient(server)


def write(opened: Project, name: str, run_id: str, content: str) -> Path:
    path = opened.artifact(name).path_of(run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_a_report_is_given_whatever_its_run_is_called(client, opened):
    for run_id in ("plain", "50% of “these” & <those>?"):
        write(opened, "run_record", run_id, json.dumps(record(run_id)))
        write(opened, REPORT, run_id, f"<p>{run_id}</p>")
        answer = client.get(address_of(run_id, "classification"))
        assert (answer.status_code, answer.text) == (200, f"<p>{run_id}</p>")
        assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "address",
    [
        "/reports/../../secret/classification",
        "/reports/..%2F..%2Fsecret/classification",
        "/reports/%2e%2e%2fsecret/classification",
        "/reports/a/..%2F..%2Fsecret",
        "/reports/a/classification%2F..%2F..%2Fsecret",
        "/reports/a/..",
        "/reports/a/classification/report.html",
        "/reports/a/detection",
        "/reports/unrecorded/classification",
        "/reports/damaged/classification",
        "/reports/a%00/classification",
    ],
)
def test_nothing_but_reports_of_recorded_runs_is_given(client, opened, tmp_path, address):
    for run_id in ("a", "unrecorded", "damaged"):
        write(opened, REPORT, run_id, SECRET)
    write(opened, "run_record", "a", json.dumps(record("a")))
    write(opened, "run_record", "damaged", "{")
    (tmp_path / "secret").mkdir()
    for name in ("report.html", "run_record.json", "classification"):
        (tmp_path / "secret" / name).write_text(SECRET)
    answer = client.get(address)
    assert answer.status_code == 404
    assert SECRET not in answer.text


def test_a_report_that_was_deleted_is_not_that_of_another_run(client, opened):
    write(opened, "run_record", "first", json.dumps(record("first")))
    write(opened, "run_record", "second", json.dumps(record("second", versions_read={REPORT: "first"})))
    write(opened, REPORT, "first", "of the first")
    answer = client.get(address_of("second", "classification"))
    assert answer.status_code == 404
    assert answer.json()["detail"] == "run 'second' has no report on 'classification'."
