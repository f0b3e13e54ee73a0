"""Runs that are killed at a chosen moment, and what must be left of them."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil
from commands import kedro_run_command
from factories import tree_bytes
from PIL import Image

from diffaug_pipeline.datasets.checksums import differences
from diffaug_pipeline.datasets.folder import MANIFEST

RUN = "killed"
PROMISED = ("02_intermediate", "03_primary", "04_synthetic", "05_filtered", "06_training_sets")
DETERMINISTIC_MODEL_FILES = (".safetensors", "/config.json", "/predictions.parquet")
SECONDS_BETWEEN_LOOKS = 0.005

COUNTS_WRITES = """
import atexit, os, pathlib, runpy, signal, sys, threading
root, counted_in, wanted, delay_s = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
seen = 0

def is_write(event, arguments):
    if event == "open":
        path, _, flags = arguments
        return isinstance(path, str) and path.startswith(root) and flags & (os.O_WRONLY | os.O_RDWR)
    return event in ("os.rename", "os.mkdir", "os.link", "os.remove") and str(arguments[0]).startswith(root)

def watch(event, arguments):
    global seen
    if is_write(event, arguments):
        seen += 1
        if seen == wanted:
            kill = threading.Timer(delay_s, os.killpg, (0, signal.SIGKILL))
            kill.start() if delay_s else kill.function(*kill.args)

sys.addaudithook(watch)
atexit.register(lambda: pathlib.Path(counted_in).write_text(str(seen)))
sys.argv = sys.argv[5:]
runpy.run_module("kedro", run_name="__main__", alter_sys=True)
"""
"""A `kedro` that kills its process group when it is about to write below `root` for the `wanted`-th time."""


@dataclass(frozen=True)
class Moment:
    """When a run is killed."""

    share: float
    """Of all writes, or of the processor time, of an undisturbed run."""
    at_a_write: bool
    delay_s: float
    """After the write has begun."""

    @classmethod
    def draw(cls, number: int) -> "Moment":
        """Every other one is at a write, and half of those a little later, in the middle of whatever is written."""
        rng = random.Random(f"moment {number}")
        return cls(rng.uniform(0, 0.98), number % 2 == 1, rng.uniform(0, 0.02) if number % 4 == 3 else 0.0)


@dataclass(frozen=True)
class Undisturbed:
    """A finished run, and what it took."""

    data_root: Path
    words: tuple[str, ...]
    """After `kedro run`, beside the environment and the data folder."""
    writes: int
    cpu_seconds: float


def run_undisturbed(data_root: Path, words: tuple[str, ...], project: Path, environment: dict[str, str]) -> Undisturbed:
    """Runs to the end."""
    counted_in = data_root.with_suffix(".writes")
    with _start(data_root, words, (str(counted_in), "0", "0"), project, environment) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, data_root.with_suffix(".log").read_text()[-3_000:]
    return Undisturbed(data_root, words, int(counted_in.read_text()), usage.ru_utime + usage.ru_stime)


def kill_at(
    moment: Moment, data_root: Path, undisturbed: Undisturbed, project: Path, environment: dict[str, str]
) -> Moment:
    """Leaves in `data_root` what a run leaves that is killed at `moment`, or a little earlier if it is over by then."""
    while not _killed(moment, data_root, undisturbed, project, environment):
        shutil.rmtree(data_root)
        moment = Moment(0.9 * moment.share, moment.at_a_write, moment.delay_s)
    return moment


def _killed(
    moment: Moment, data_root: Path, undisturbed: Undisturbed, project: Path, environment: dict[str, str]
) -> bool:
    wanted = 1 + int(moment.share * undisturbed.writes) if moment.at_a_write else 0
    watched = (os.devnull, str(wanted), str(moment.delay_s))
    with _start(data_root, undisturbed.words, watched, project, environment) as process:
        if not moment.at_a_write:
            _kill_after_cpu_seconds(process, moment.share * undisturbed.cpu_seconds)
        return process.wait(timeout=600) == -signal.SIGKILL


def _kill_after_cpu_seconds(process: subprocess.Popen, seconds: float) -> None:
    running = psutil.Process(process.pid)
    while process.poll() is None:
        used = running.cpu_times()
        if used.user + used.system >= seconds:
            os.killpg(process.pid, signal.SIGKILL)
            return
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _start(
    data_root: Path, words: tuple[str, ...], watched: tuple[str, ...], project: Path, environment: dict[str, str]
) -> subprocess.Popen:
    _, _, *words_of_kedro = kedro_run_command(data_root, *words)
    with data_root.with_suffix(".log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-c", COUNTS_WRITES, str(data_root), *watched, *words_of_kedro],
            cwd=project,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def promised_bytes(data_root: Path) -> dict[str, bytes]:
    """What is promised to be the same, byte for byte, and the networks and their predictions."""
    promised = {
        f"{layer}/{name}": content for layer in PROMISED for name, content in tree_bytes(data_root / layer).items()
    }
    models = {
        name: content
        for name, content in tree_bytes(data_root / "07_models").items()
        if name.endswith(DETERMINISTIC_MODEL_FILES)
    }
    return promised | models


def assert_same_artifacts(data_root: Path, undisturbed: Path) -> None:
    """The same files, nothing else, and the promised ones with the same bytes."""
    ours, theirs = ({path.relative_to(root) for path in root.rglob("*")} for root in (data_root, undisturbed))
    assert ours == theirs
    here, there = promised_bytes(data_root), promised_bytes(undisturbed)
    assert [name for name in here if here[name] != there[name]] == []


def assert_valid_artifacts(data_root: Path) -> None:
    """Every file can be read as what it is, and is what its manifest says."""
    readers = {".json": _parse, ".parquet": pd.read_parquet, ".png": _decode, ".html": _assert_whole_page}
    for path in data_root.rglob("*"):
        if path.is_file() and path.suffix in readers:
            readers[path.suffix](path)
    manifests = list(data_root.rglob(MANIFEST))
    assert manifests
    for manifest in manifests:
        assert differences(manifest.parent, _parse(manifest)["files"]) == []


def _parse(path: Path) -> dict:
    return json.loads(path.read_text())


def _decode(path: Path) -> None:
    with Image.open(path) as picture:
        picture.load()


def _assert_whole_page(path: Path) -> None:
    assert path.read_text().rstrip().endswith("</html>"), path
