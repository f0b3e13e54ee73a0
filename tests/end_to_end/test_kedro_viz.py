"""kedro-viz on our project: namespaces collapse, image sets show their contact sheet, tables and plots preview."""

import base64
import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

pytestmark = pytest.mark.slow
ATTEMPTS = 3


@pytest.fixture(scope="module")
def viz(project, environment, classification_run, tmp_path_factory) -> Iterator[str]:
    """The address of a running kedro-viz over a finished smoke run."""
    log = tmp_path_factory.mktemp("viz") / "log.txt"
    for _ in range(ATTEMPTS):
        port = free_port()
        address = f"http://127.0.0.1:{port}/api"
        words = ("viz", "run", "--env", "smoke", "--no-browser", "--host", "127.0.0.1", "--port", str(port))
        with log.open("w") as output:
            server = subprocess.Popen(
                [sys.executable, "-m", "kedro", *words, "--params", f"data_root={classification_run.data_root}"],
                cwd=project,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if answers(address, server):
            break
    else:
        pytest.fail(log.read_text())
    yield address
    processes = [*psutil.Process(server.pid).children(recursive=True), server]
    for process in processes:
        process.terminate()
    psutil.wait_procs(processes[:-1], timeout=30)
    server.wait(30)


def free_port() -> int:
    """Among those kedro-viz takes: the ports an operating system hands out by itself are above them."""
    for port in random.sample(range(20_000, 49_000), 100):
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    pytest.fail("no port is free")


def answers(address: str, server: subprocess.Popen) -> bool:
    """Waits for the server; on a busy machine its launcher may give up on it within seconds."""
    while server.poll() is None:
        try:
            fetch(f"{address}/main")
            return True
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    return False


def fetch(url: str) -> dict:
    with urlopen(url, timeout=60) as answer:
        return json.load(answer)


def preview_of(viz: str, name: str) -> object:
    nodes = {node["name"]: node["id"] for node in fetch(f"{viz}/main")["nodes"] if node["type"] == "data"}
    return fetch(f"{viz}/nodes/{nodes[name]}")["preview"]


def test_namespaces_collapse_to_task_and_arm(viz):
    graph = fetch(f"{viz}/main")
    modular = graph["modular_pipelines"]
    assert {"classification", "classification.real_only", "classification.augmented"} <= modular.keys()
    assert {"synthetic", "models", "reporting"} <= set(graph["layers"])


@pytest.mark.parametrize("name", ["real_images", "synthetic_images", "augmented.training_set"])
def test_image_sets_show_their_contact_sheet(viz, name):
    assert base64.b64decode(preview_of(viz, f"classification.{name}")).startswith(b"\x89PNG")


def test_tables_figures_and_metrics_preview(viz):
    assert "accepted" in preview_of(viz, "classification.filter_decisions")["columns"]
    assert preview_of(viz, "classification.arms_figure")["data"]
    assert "inconclusive" in json.dumps(preview_of(viz, "classification.comparison"))
