"""What cron would run, and Dagster's daemon with a schedule that comes every minute; on copies of a finished run."""

import json
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import dagster as dg
import psutil
import pytest
from long_runs import FINISHED_RUN
from scheduling.schedule_cases import block, write_conf

from diffaug_pipeline.scheduling.running import run_id_of

pytestmark = pytest.mark.long

NAME = FINISHED_RUN.partition("-")[0]
"""Of a schedule for whose last run the finished one is taken."""
SECONDS_TO_WAIT = 150
SECONDS_TO_END = 30


@pytest.fixture(scope="module")
def conf(tmp_path_factory) -> Path:
    schedules = {NAME: block(pipelines=["classification_export"])}
    return write_conf(tmp_path_factory.mktemp("conf") / "conf", **schedules)


@pytest.fixture
def data_root(classification_run, tmp_path) -> Path:
    return shutil.copytree(classification_run.data_root, tmp_path / "data")


@pytest.fixture
def home(tmp_path) -> Path:
    """Which nothing has touched."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def schedules_command(words: list[str], conf: Path, data_root: Path) -> list[str]:
    choices = ["--env", "smoke", "--conf-source", str(conf), "--params", f"data_root={data_root}"]
    return [sys.executable, "-m", "kedro", "schedules", *words, *choices]


def record_path(data_root: Path, run_id: str) -> Path:
    return data_root / "08_reporting" / "run_record.json" / run_id / "run_record.json"


def leave_unfinished(data_root: Path) -> Path:
    """As if the finished run had failed at its report, whose place is returned."""
    report = data_root / "08_reporting" / "classification" / "report.html" / FINISHED_RUN / "report.html"
    report.unlink()
    path = record_path(data_root, FINISHED_RUN)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"status": "failed"}))
    return report


def wait_for_success(home: Path, pid: int, seen: set[psutil.Process]) -> dg.RunRecord:
    """The first run that Dagster has finished; `seen` collects its processes, which must not talk to other machines."""
    end = time.monotonic() + SECONDS_TO_WAIT
    while time.monotonic() < end:
        seen.update([psutil.Process(pid), *psutil.Process(pid).children(recursive=True)])
        assert addresses(seen) <= {"127.0.0.1"}
        if (home / "schedules" / "schedules.db").exists():
            with dg.DagsterInstance.from_config(str(home)) as instance:
                finished = instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))
            if finished:
                return finished[-1]
        time.sleep(1)
    raise AssertionError(f"no run has succeeded within {SECONDS_TO_WAIT} seconds")


def addresses(processes: set[psutil.Process]) -> set[str]:
    """Where they listen, and whom they talk to."""
    found = set()
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            ends = [
                end for connection in process.net_connections("inet") for end in (connection.laddr, connection.raddr)
            ]
            found.update(end.ip for end in ends if end)
    return found


def test_the_line_for_cron_works_with_what_cron_gives_it(conf, data_root, home, project, environment):
    report = leave_unfinished(data_root)

    def ask(*words: str) -> str:
        command = schedules_command(list(words), conf, data_root)
        return subprocess.run(
            command, cwd=project, env=environment | {"TZ": "UTC"}, capture_output=True, text=True, check=True
        ).stdout

    assert f"last: {FINISHED_RUN}, failed" in ask("ls")
    line = ask("cron").strip()
    assert line.startswith("* * * * * cd ")
    bare = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    shell = ["sh", "-c", line.removeprefix("* * * * * ").replace(r"\%", "%")]
    done = subprocess.run(shell, cwd="/", env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    finished, began = done.stdout.splitlines()[:2]
    assert finished == f"{FINISHED_RUN}, failed, is finished now."
    assert report.is_file()
    run_id, _, log = began.partition(" is finished; log: ")
    for run in (FINISHED_RUN, run_id):
        assert json.loads(record_path(data_root, run).read_text())["status"] == "finished"
    assert f"run {run_id}\n" in Path(log).read_text()
    assert f"last: {run_id}, finished" in ask("ls")


def test_the_daemon_runs_a_schedule_with_a_page_for_this_machine_alone(conf, data_root, home, project, environment):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = schedules_command(["start", "--port", str(port)], conf, data_root)
    variables = {name: value for name, value in environment.items() if not name.startswith("DAGSTER")}
    with subprocess.Popen(
        command, cwd=project, env=variables | {"HOME": str(home)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as dagster:
        seen: set[psutil.Process] = set()
        try:
            run = wait_for_success(data_root / "scheduler" / "dagster", dagster.pid, seen)
            assert "127.0.0.1" in addresses(seen)
            assert urlopen(f"http://127.0.0.1:{port}/server_info").status == 200
        finally:
            dagster.terminate()
            dagster.wait(SECONDS_TO_END)
    _, left = psutil.wait_procs(seen, SECONDS_TO_END)
    assert left == []
    run_id = run_id_of(NAME, run.create_timestamp)
    record = json.loads(record_path(data_root, run_id).read_text())
    assert (record["status"], record["pipelines"]) == ("finished", ["classification_export"])
    assert not (home / ".dagster").exists()
