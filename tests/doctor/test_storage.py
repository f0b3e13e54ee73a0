import errno
import json
import os
import shutil
from pathlib import Path

import pytest
from kedro.framework.startup import bootstrap_project

from diffaug_pipeline.doctor import storage
from diffaug_pipeline.project import Project
from diffaug_pipeline.versions.store import Store


def test_a_folder_that_is_not_yet_there_is_judged_by_the_one_above_and_left_alone(tmp_path):
    (finding,) = storage.check_folder(tmp_path / "data" / "of mine")
    assert finding.level == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_a_problem():
    (finding,) = storage.check_folder(Path("/proc/data"))
    assert finding.level == "problem"
    assert finding.says.startswith("/proc cannot be written to (")


def test_a_file_system_without_hard_links_is_worth_advice(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (finding,) = storage.check_folder(tmp_path)
    assert finding.level == "advice"
    assert finding.says.startswith("files cannot be linked (Operation not permitted)")


def test_locks_without_effect_are_a_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(storage.Lock, "is_held", lambda _: False)
    (finding,) = storage.check_folder(tmp_path)
    assert finding.level == "problem"
    assert finding.says.startswith("locks have no effect")


@pytest.mark.parametrize(("share", "level"), [(0.1, "ok"), (0.8, "advice"), (2.0, "problem")])
def test_planned_images_are_set_against_the_free_disk(tmp_path, share, level):
    free = shutil.disk_usage(tmp_path).free
    (finding,) = storage.check_room(tmp_path / "data", share * free)
    assert finding.level == level


def test_what_crashed_runs_left_is_counted(project, tmp_path):
    bootstrap_project(project)
    opened = Project("smoke", runtime_params={"data_root": str(tmp_path)})
    (finding,) = storage.check_staging(Store(opened))
    assert finding.level == "ok"
    staged = tmp_path / "04_synthetic" / "classification" / "synthetic_images" / ".staging" / "crashed" / "images"
    staged.mkdir(parents=True)
    (staged / "a.png").write_bytes(bytes(2_000_000))
    (finding,) = storage.check_staging(Store(opened))
    assert finding.level == "advice"
    assert finding.says == "crashed runs left 1 files that no run can use, 2 MB"
    record = tmp_path / "08_reporting" / "run_record.json" / "crashed" / "run_record.json"
    record.parent.mkdir(parents=True)
    attempt = {"started": "2026-01-01T00:00:00+00:00", "code": {"commit": None, "changed": None}}
    values = {"run_id": "crashed", "status": "running", "env": None, "pipelines": None, "parameters": {}, "nodes": {}}
    record.write_text(json.dumps(values | {"attempts": [attempt], "versions_read": {}}))
    (finding,) = storage.check_staging(Store(opened))
    assert finding.level == "ok"  # it can be resumed
