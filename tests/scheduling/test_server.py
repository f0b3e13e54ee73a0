"""What keeps the daemon from starting; that it starts is seen in end_to_end/test_schedule.py."""

import socket
import subprocess

import pytest
from commands import without_package
from kedro.framework.startup import bootstrap_project

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.project import Project
from diffaug_pipeline.scheduling.server import serve

CALL = "from kedro.framework.cli.cli import main\nsys.argv = ['kedro', 'schedules', *{words!r}]\nmain()"


def test_without_dagster_one_sentence_names_the_extra_and_the_rest_works(project, tmp_path):
    seen = ["--env", "smoke", "--params", f"data_root={tmp_path}"]

    def kedro_without_dagster(*words: str) -> subprocess.CompletedProcess:
        script = without_package("dagster", CALL.format(words=[*words, *seen]))
        return subprocess.run(script, cwd=project, capture_output=True, text=True, check=False)

    refused = kedro_without_dagster("start")
    assert refused.returncode == 1
    assert "pip install 'diffaug_pipeline[scheduler]'; cron and systemd do without" in refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr
    assert "open http" not in refused.stdout
    listed = kedro_without_dagster("ls")
    assert listed.returncode == 0, listed.stderr
    assert "every_minute: classification_data at * * * * * (UTC)" in listed.stdout


def test_a_port_that_is_in_use_is_named_before_anything_is_written(project, tmp_path):
    bootstrap_project(project)
    opened = Project("smoke", None, {"data_root": str(tmp_path / "data")})
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ParameterError, match=f"port {port} cannot be had .* name a free one with --port"):
            serve(opened, port, announce=print)
    assert not (tmp_path / "data" / "scheduler").exists()
