"""How the page starts: without what only pictures need, and with a sentence where it cannot."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from commands import kedro_app_command, without_package

KEDRO_APP = "import sys\nfrom kedro.framework.cli.cli import main\nsys.argv = ['kedro', 'app']\nmain()"
BUILD = """
import sys
from pathlib import Path
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
from diffaug_pipeline.project import Project
from diffaug_pipeline.app.server import build_page
build_page(Project(env="smoke", runtime_params={{"data_root": {data_root!r}}}))
{more}
print("MODULES", *sys.modules)
"""


def run(project: Path, command: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)


@pytest.mark.parametrize(("more", "is_loaded"), [("", False), ("import diffaug_pipeline.playground.studio", True)])
def test_the_page_is_built_without_what_only_pictures_need(project, tmp_path, more, is_loaded):
    done = run(project, [sys.executable, "-c", BUILD.format(data_root=str(tmp_path), more=more)])
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.partition("MODULES")[2].split())
    assert "gradio" in loaded
    assert {name: name in loaded for name in ("torch", "diffusers", "transformers")} == dict.fromkeys(
        ("torch", "diffusers", "transformers"), is_loaded
    )


def test_without_gradio_one_sentence_names_the_extra(project):
    done = run(project, without_package("gradio", KEDRO_APP))
    assert done.returncode == 1
    assert "the app needs Gradio, which is not installed: pip install 'diffaug_pipeline[app]'" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_port_in_use_is_one_sentence(project, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = kedro_app_command(tmp_path, project / "conf", "--port", str(port))
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project, timeout=60)
    assert done.returncode == 1
    assert f"port {port} cannot be had" in done.stderr
    assert "name a free one with --port" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stdout + done.stderr
