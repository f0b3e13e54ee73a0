"""How the page starts: without what only pictures need, and with a sentence where it cannot."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

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


def test_what_is_uploaded_is_gone_with_the_page_and_other_sites_upload_nothing(project, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    command = kedro_app_command(tmp_path / "data", project / "conf")
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as process:
        address = next(found[1] for line in process.stdout if (found := re.search(r"open (http://\S+)/", line)))
        (uploaded,) = json.loads(upload(address, 1_000))
        assert (tmp_path in Path(uploaded).parents, Path(uploaded).stat().st_size) == (True, 1_000)
        with pytest.raises(HTTPError, match="403"):
            upload(address, 1_000, Origin="http://elsewhere.example")
        process.terminate()
        process.communicate()  # it still has something to say
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def upload(address: str, size: int, **headers: str) -> bytes:
    form = b'--x\r\nContent-Disposition: form-data; name="files"; filename="../a.png"\r\n\r\n%s\r\n--x--\r\n' % bytes(
        size
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"} | headers
    with urlopen(Request(f"{address}/gradio_api/upload", form, headers)) as answer:
        return answer.read()


def test_a_port_in_use_is_one_sentence(project, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = kedro_app_command(tmp_path, project / "conf", "--port", str(port))
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project, timeout=60)
    assert done.returncode == 1
    assert f"port {port} cannot be had" in done.stderr
    assert "name a free one with --port" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stdout + done.stderr
