"""SIGKILL in the middle of synthesis, of composing and of training, then the same id again."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import kedro_run_command
from faults.kills import promised_bytes
from long_runs import DETECTION_PARAMS
from long_runs import FINISHED_RUN as RUN

pytestmark = pytest.mark.long
HEAR_INTERRUPTS = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Runs a command; a shell that runs the tests in the background has its children ignore interrupts."""


def assert_same_bytes(data_root: Path, undisturbed: Path) -> dict[str, bytes]:
    """Nothing in `data_root` differs from what an undisturbed run, which may have gone on, made under the same id."""
    ours, theirs = promised_bytes(data_root), promised_bytes(undisturbed)
    assert ours.keys() <= theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
    return ours


def finished_batches(images: Path) -> list[Path]:
    return list(images.glob("[!.]*"))


def run_record(data_root: Path) -> dict:
    return json.loads((data_root / "08_reporting" / "run_record.json" / RUN / "run_record.json").read_text())


@pytest.fixture
def stop(project: Path, environment: dict[str, str]) -> Callable:
    """Starts a command, sends it a signal once something is reached, returns what it printed as errors."""

    def start_and_stop(words: list[str], reached: Callable[[], bool], how: signal.Signals = signal.SIGKILL) -> str:
        process = subprocess.Popen(
            [sys.executable, "-c", HEAR_INTERRUPTS, *words],
            cwd=project,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 300
        while not reached():
            assert process.poll() is None, "the run ended before it could be stopped"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(how)
        _, printed = process.communicate(timeout=60)
        assert process.returncode != 0
        return printed

    return start_and_stop


def test_a_run_interrupted_and_killed_during_synthesis_resumes_to_the_same_bytes(
    tmp_path, stop, kedro_run, classification_run
):
    images = tmp_path / "04_synthetic" / "classification" / "synthetic_images" / ".staging" / RUN / "images"
    words = ("--pipelines", "classification_data", "--run-id", RUN)
    printed = stop(kedro_run_command(tmp_path, *words), lambda: len(finished_batches(images)) >= 1, signal.SIGINT)
    assert f"kedro run --resume {RUN} --env smoke --params data_root={tmp_path}" in printed
    assert run_record(tmp_path)["status"] == "interrupted"

    before = len(finished_batches(images))
    stop(kedro_run_command(tmp_path, "--resume", RUN), lambda: len(finished_batches(images)) > before)
    finished = sum(len(list(batch.iterdir())) for batch in finished_batches(images))
    assert 40 <= finished < 80
    kedro_run(tmp_path, "--resume", RUN)
    record = run_record(tmp_path)
    made = record["nodes"]["classification.synthesize_images"]["outputs"]["classification.synthetic_images"]
    assert made["images_made"] == 80 - finished
    assert made["images_kept"] == finished
    assert [attempt.get("status") for attempt in record["attempts"]] == ["interrupted", None, "finished"]
    ours = assert_same_bytes(tmp_path, classification_run.data_root)
    assert sum(name.endswith(".png") for name in ours) > 80


def test_a_detection_run_killed_while_composing_and_while_training_resumes_to_the_same_bytes(
    tmp_path, stop, kedro_run, detection_run
):
    arm, last = "detection/copy_paste", "detection.copy_paste.detect_on_test_images"
    words = ("--pipelines", "detection_controls", "--to-nodes", last, "--run-id", RUN)
    images = tmp_path / "04_synthetic" / arm / "synthetic_images" / ".staging" / RUN / "images"
    first_seed = tmp_path / "07_models" / arm / "checkpoint" / ".staging" / RUN / "seed_0" / "training.json"
    stop(
        kedro_run_command(tmp_path, *words, params=DETECTION_PARAMS),
        lambda: len(finished_batches(images)) >= 2,
    )
    composed = sum(len(list(batch.iterdir())) for batch in finished_batches(images))
    assert 4 <= composed < 12
    stop(kedro_run_command(tmp_path, "--resume", RUN), first_seed.exists)
    seconds_of_first_seed = json.loads(first_seed.read_text())["seconds"]
    kedro_run(tmp_path, "--resume", RUN)
    record = run_record(tmp_path)
    made = record["nodes"]["detection.copy_paste.compose_real_cutouts"]["outputs"]
    assert made["detection.copy_paste.synthetic_images"]["images_made"] == 12 - composed
    checkpoint = tmp_path / "07_models" / arm / "checkpoint" / RUN / "checkpoint"
    assert json.loads((checkpoint / "seed_0" / "training.json").read_text())["seconds"] == seconds_of_first_seed
    assert [attempt.get("status") for attempt in record["attempts"]] == [None, None, "finished"]
    kinds = Counter(Path(name).suffix for name in assert_same_bytes(tmp_path, detection_run.data_root))
    assert kinds[".safetensors"] == 4  # two seeds, two folds of references
    assert kinds[".png"] > 50
