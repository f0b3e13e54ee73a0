"""Two processes at once: one id, different ids, a pruning beside runs, a reader of what is being published."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from commands import kedro_run_command
from factories import Maker, plan, planned
from faults.kills import RUN, Undisturbed, assert_valid_artifacts
from kedro.io import Version

from diffaug_pipeline.datasets import ImageSetDataset, ParquetDataset
from diffaug_pipeline.datasets.locking import Lock
from diffaug_pipeline.errors import VersionError

pytestmark = pytest.mark.long

OTHER_RUNS = ("one", "another")
CONTENDERS = 4


@pytest.fixture
def started(project: Path, environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts a `kedro run`; whatever still runs when the test ends is killed."""
    processes = []

    def start(data_root: Path, *words: str) -> subprocess.Popen:
        command = kedro_run_command(data_root, *words)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        processes.append(subprocess.Popen(command, cwd=project, env=environment, start_new_session=True, **pipes))
        return processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(reached: Callable[[], bool], *processes: subprocess.Popen) -> None:
    deadline = time.monotonic() + 300
    while not reached():
        assert all(process.poll() is None for process in processes)
        assert time.monotonic() < deadline
        time.sleep(0.05)


def run_record(data_root: Path, run_id: str) -> Path:
    return data_root / "08_reporting" / "run_record.json" / run_id / "run_record.json"


def test_runs_side_by_side_beside_a_pruning_never_mix_and_none_has_two_processes(
    tmp_path, started, kedro_run, undisturbed: Undisturbed, project, environment
):
    """They take over the images of the finished run, and of each other, while that run is deleted."""
    data_root = tmp_path / "data"
    shutil.copytree(undisturbed.data_root, data_root)
    words = [word for word in undisturbed.words if word not in ("--run-id", RUN)]
    runs = {run_id: started(data_root, "--run-id", run_id, *words) for run_id in OTHER_RUNS}
    wait_for(lambda: all(run_record(data_root, run_id).exists() for run_id in runs), *runs.values())
    prune(data_root, project, environment)
    second = kedro_run(data_root, "--run-id", "one", *words, check=False)
    assert second.returncode == 1
    owner = f"process {runs['one'].pid} on {socket.gethostname()}"
    assert f"Error: run one is being run by {owner}; wait for it, stop it, or choose" in second.stderr
    for run_id, process in runs.items():
        printed, _ = process.communicate(timeout=600)
        assert process.returncode == 0, printed[-3_000:]
        assert versions_named_in(run_record(data_root, run_id)) == {run_id}
        assert len(json.loads(run_record(data_root, run_id).read_text())["attempts"]) == 1
    assert "pruned" in json.loads(run_record(data_root, RUN).read_text())
    assert_valid_artifacts(data_root)
    expected = pixels(undisturbed.data_root, RUN)
    assert [pixels(data_root, run_id) == expected for run_id in runs] == [True, True]


def prune(data_root: Path, project: Path, environment: dict[str, str]) -> None:
    choices = ("--env", "smoke", "--params", f"data_root={data_root}")
    command = [sys.executable, "-m", "kedro", "versions", "prune", "--keep", "2", "--yes", *choices]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "deleted." in done.stdout


def versions_named_in(record: Path) -> set[str]:
    """Read or written."""
    content = json.loads(record.read_text())
    written = [output["version"] for node in content["nodes"].values() for output in node["outputs"].values()]
    return {*content["versions_read"].values(), *written}


def pixels(data_root: Path, run_id: str) -> dict[str, dict[str, str]]:
    """By image set, the checksum of every picture; sets may point at files of others."""
    tables = sorted(data_root.glob(f"0[246]_*/**/{run_id}/*/index.parquet"))
    assert len(tables) >= 3
    return {
        table.parents[2].relative_to(data_root).as_posix(): pd.read_parquet(table)
        .set_index("image_id")["sha256"]
        .to_dict()
        for table in tables
    }


def test_whoever_loads_the_latest_while_others_are_published_gets_a_whole_one(tmp_path):
    def publish() -> None:
        for number in range(30):
            version = Version(None, f"{number:03d}")
            images = ImageSetDataset(filepath=str(tmp_path / "images"), version=version)
            images.save(planned(plan(6, offset=6 * number), Maker()))
            table = ParquetDataset(filepath=str(tmp_path / "table.parquet"), version=version)
            table.save(pd.DataFrame({"number": [number] * 1_000}))

    seen_images, seen_numbers = [], []
    with in_background(publish) as publishing:
        while publishing.is_alive():
            for kind, name, seen in (
                (ImageSetDataset, "images", seen_images),
                (ParquetDataset, "table.parquet", seen_numbers),
            ):
                dataset = kind(filepath=str(tmp_path / name), version=Version(None, None))
                if dataset.list_versions():
                    seen.append(dataset.load())
    assert len(seen_numbers) > 10
    assert all(
        len(images.index) == 6 and all(Path(path).is_file() for path in images.index["path"]) for images in seen_images
    )
    numbers = [int(table["number"].iloc[0]) for table in seen_numbers]
    assert all((table["number"] == number).all() for table, number in zip(seen_numbers, numbers, strict=True))
    assert numbers == sorted(numbers)


@contextmanager
def in_background(work: Callable[[], None]) -> Iterator[threading.Thread]:
    failures = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    yield thread
    thread.join()
    assert failures == []


CONTENDER = """
import os, sys, time
from pathlib import Path
from diffaug_pipeline.datasets.locking import Lock
from diffaug_pipeline.errors import VersionError

folder, until, times = Path(sys.argv[1]), time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < until:
    lock = Lock(folder / "run.lock")
    try:
        lock.acquire("held")
    except VersionError:
        continue
    (folder / "inside").touch(exist_ok=False)
    (folder / "inside").unlink()
    times += 1
    lock.release()
print(times)
"""


def test_a_lock_lets_one_of_many_processes_past_at_a_time(tmp_path):
    """Those that wait have opened the file that the holder removes; two must not get past with two files."""
    words = [sys.executable, "-c", CONTENDER, str(tmp_path), "2"]
    contenders = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(CONTENDERS)]
    printed = [contender.communicate(timeout=60)[0] for contender in contenders]
    assert [contender.returncode for contender in contenders] == [0] * CONTENDERS
    assert all(int(times) > 0 for times in printed)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "owner",
    ["process 4711 on a-machine-that-is-gone", f"process {os.getpid()} on here", ""],
    ids=["gone", "here", "nobody"],  # the same in all processes of a test run
)
def test_a_lock_file_that_nobody_holds_is_free_whoever_is_said_to_own_it(tmp_path, owner):
    """As a crash of this machine leaves it, or of another one that has the folder mounted."""
    (tmp_path / "run.lock").touch()
    (tmp_path / "run.owner").write_text(owner)
    lock = Lock(tmp_path / "run.lock")
    assert not lock.is_held()
    lock.acquire("run r is being run")
    assert lock.is_held()
    assert (tmp_path / "run.owner").read_text() == f"process {os.getpid()} on {socket.gethostname()}"
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_free_at_once_when_its_owner_is_killed(tmp_path):
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom diffaug_pipeline.datasets.locking import Lock\n"
        "lock = Lock(Path(sys.argv[1]))\nlock.acquire('held')\nprint(flush=True)\ntime.sleep(60)"
    )
    words = [sys.executable, "-c", script, str(tmp_path / "run.lock")]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as owner:
        owner.stdout.readline()
        with pytest.raises(VersionError, match=f"run r is being run by process {owner.pid} on "):
            Lock(tmp_path / "run.lock").acquire("run r is being run")
        owner.kill()
        owner.wait()
        Lock(tmp_path / "run.lock").acquire("run r is being run")


LOOKER = """
import sys, time
from pathlib import Path
from diffaug_pipeline.datasets.locking import Lock

print(flush=True)
until = time.monotonic() + 1
while time.monotonic() < until:
    Lock(Path(sys.argv[1])).is_held()
"""


def test_looking_whether_a_lock_is_held_keeps_nobody_out(tmp_path):
    words = [sys.executable, "-c", LOOKER, str(tmp_path / "run.lock")]
    times = 0
    with subprocess.Popen(words, stdout=subprocess.PIPE) as looker:
        looker.stdout.readline()
        while looker.poll() is None:
            lock = Lock(tmp_path / "run.lock")
            lock.acquire("run r is being run")
            lock.release()
            times += 1
    assert times > 0
