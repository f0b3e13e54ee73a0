"""SIGKILL in the middle of synthesis, then the same id again."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commands import kedro_run_command
from factories import tree_bytes

pytestmark = pytest.mark.slow
RUN = "killed"
PARAMS = ("classification.synthesis.images_per_class=30", "classification.synthesis.num_inference_steps=10")
PROMISED = ("02_intermediate", "03_primary", "04_synthetic", "05_filtered", "06_training_sets")


def promised_bytes(data_root: Path) -> dict[str, bytes]:
    return {f"{layer}/{name}": content for layer in PROMISED for name, content in tree_bytes(data_root / layer).items()}


def finished_batches(data_root: Path) -> set[Path]:
    images = data_root / "04_synthetic" / "classification" / "synthetic_images" / ".staging" / RUN / "images"
    return set(images.glob("[!.]*"))


def kill_during_synthesis(data_root: Path, project: Path, environment: dict[str, str]) -> set[str]:
    """Starts a run, kills it once three batches are finished, returns the images it had finished."""
    words = kedro_run_command(data_root, "--pipelines", "classification_data", "--run-id", RUN, params=PARAMS)
    process = subprocess.Popen(
        words, cwd=project, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 300
    while len(finished_batches(data_root)) < 3:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    return {path.name for batch in finished_batches(data_root) for path in batch.iterdir()}


def test_a_killed_run_resumes_to_the_same_bytes(tmp_path, project, environment, kedro_run):
    finished = kill_during_synthesis(tmp_path / "killed", project, environment)
    assert 60 <= len(finished) < 300
    kedro_run(tmp_path / "killed", "--resume", RUN, params=PARAMS)
    record_file = tmp_path / "killed" / "08_reporting" / "run_record.json" / RUN / "run_record.json"
    record = json.loads(record_file.read_text())
    made = record["nodes"]["classification.synthesize_images"]["outputs"]["classification.synthetic_images"]
    assert made["images_made"] == 300 - len(finished)
    assert len(record["attempts"]) == 2
    assert record["status"] == "finished"

    kedro_run(tmp_path / "undisturbed", "--pipelines", "classification_data", "--run-id", RUN, params=PARAMS)
    ours, theirs = promised_bytes(tmp_path / "killed"), promised_bytes(tmp_path / "undisturbed")
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert sum(name.endswith(".png") for name in ours) > 300
