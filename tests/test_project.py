import json
import threading
from pathlib import Path

import pytest
from kedro.framework.startup import bootstrap_project

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.filtering.options import FilteringOptions
from diffaug_pipeline.project import Project

CALIBRATION, REPORT = "classification.filter_calibration", "classification.ingestion_report"
FOLDERS = {CALIBRATION: "05_filtered/classification", REPORT: "02_intermediate/classification"}


@pytest.fixture
def opened(project: Path, tmp_path: Path) -> Project:
    bootstrap_project(project)
    return Project(env="smoke", runtime_params={"data_root": str(tmp_path)})


def pretend_run(data_root: Path, run_id: str, made: tuple[str, ...], read: dict[str, str] | None = None) -> None:
    documents = {(FOLDERS[name], name.split(".")[1]): {"made by": run_id} for name in made}
    documents[("08_reporting", "run_record")] = {"run_id": run_id, "versions_read": read or {}}
    for (folder, name), document in documents.items():
        path = data_root / folder / f"{name}.json" / run_id / f"{name}.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(document))


def test_before_any_run_there_is_nothing(opened):
    assert opened.run_ids() == []
    with pytest.raises(VersionError, match=r"run 'r1' has no classification\.filter_calibration; .* are none"):
        opened.load(CALIBRATION, "r1")


def test_runs_are_listed_newest_first_as_they_come(opened, tmp_path):
    pretend_run(tmp_path, "zeta", (REPORT,))
    pretend_run(tmp_path, "alpha", (REPORT, CALIBRATION))
    assert opened.run_ids() == ["alpha", "zeta"]
    assert opened.run_ids(CALIBRATION) == ["alpha"]
    pretend_run(tmp_path, "beta", (CALIBRATION,))
    assert opened.run_ids(CALIBRATION) == ["beta", "alpha"]


def test_a_run_knows_what_it_made_what_it_read_and_what_that_was_made_from(opened, tmp_path):
    pretend_run(tmp_path, "data", (REPORT, CALIBRATION))
    pretend_run(tmp_path, "filtered", (CALIBRATION,), read={"classification.real_images": "data"})
    pretend_run(tmp_path, "studied", (), read={CALIBRATION: "filtered"})
    pretend_run(tmp_path, "unrelated", (REPORT, CALIBRATION))
    assert opened.version_of(CALIBRATION, "filtered") == "filtered"
    assert opened.version_of(CALIBRATION, "studied") == "filtered"
    assert opened.version_of(REPORT, "studied") == "data"
    assert opened.load(REPORT, "studied") == {"made by": "data"}
    assert json.loads(opened.path(REPORT, "studied").read_text()) == {"made by": "data"}
    assert opened.version_of("classification.comparison", "studied") is None


def test_a_damaged_artifact_is_named(opened, tmp_path):
    pretend_run(tmp_path, "r1", (REPORT,))
    path = opened.path(REPORT, "r1")
    path.write_text("{")
    with pytest.raises(VersionError, match=rf"{path} cannot be read \(Expecting property name .*\); it is damaged"):
        opened.load(REPORT, "r1")


def test_runs_that_read_each_other_end_the_search(opened, tmp_path):
    pretend_run(tmp_path, "a", (), read={"classification.real_images": "b"})
    pretend_run(tmp_path, "b", (), read={"classification.real_images": "a"})
    assert opened.version_of(REPORT, "a") is None


def test_parameters_are_validated_blocks_of_the_environment(opened, project, tmp_path):
    filtering = opened.parameters("params:classification.filtering")
    assert isinstance(filtering, FilteringOptions)
    assert "task_model" in filtering.rules
    assert opened.parameters("params:classification.synthesis").batch_size == 20
    assert (opened.data_root, opened.local_conf) == (tmp_path, project / "conf" / "local")


def test_several_threads_may_ask_at_once(opened, tmp_path):
    pretend_run(tmp_path, "r1", (REPORT,))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(opened.load(REPORT, "r1"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{"made by": "r1"}] * 8
