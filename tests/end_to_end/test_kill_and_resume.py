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
PARAMS = ("classification.synthesis.images_per_class=16", "classification.synthesis.num_inference_steps=10")
PROMISED = ("02_intermediate", "03_primary", "04_synthetic", "05_filtered", "06_training_sets")


def promised_bytes(data_root: Path) -> dict[str, bytes]:
    return {f"{layer}/{name}": content for layer in PROMISED for name, content in tree_bytes(data_root / layer).items()}


def finished_batches(data_root: Path) -> set[Path]:
    images = data_root / "04_synthetic" / "classification" / "synthetic_images" / ".staging" / RUN / "images"
    return set(images.glob("[!.]*"))


def run_record(data_root: Path) -> dict:
    return json.loads((data_root / "08_reporting" / "run_record.json" / RUN / "run_record.json").read_text())


def stop_during_synthesis(data_root: Path, project: Path, environment: dict[str, str], how: signal.Signals) -> str:
    """Starts a run, sends it a signal once three batches are finished, returns what it printed as errors."""
    words = kedro_run_command(data_root, "--pipelines", "classification_data", "--run-id", RUN, params=PARAMS)
    process = subprocess.Popen(
        words, cwd=project, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 300
    while len(finished_batches(data_root)) < 3:
        assert process.poll() is None, "the run ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(how)
    _, printed = process.communicate(timeout=60)
    assert process.returncode != 0
    return printed


def test_an_interrupted_run_says_how_to_go_on(tmp_path, project, environment):
    printed = stop_during_synthesis(tmp_path, project, environment, signal.SIGINT)
    assert f"kedro run --resume {RUN} --env smoke --params data_root={tmp_path}" in printed
    assert run_record(tmp_path)["status"] == "interrupted"


def test_a_killed_run_resumes_to_the_same_bytes(tmp_path, project, environment, kedro_run):
    stop_during_synthesis(tmp_path / "killed", project, environment, signal.SIGKILL)
    finished = {path.name for batch in finished_batches(tmp_path / "killed") for path in batch.iterdir()}
    assert 60 <= len(finished) < 160
    kedro_run(tmp_path / "killed", "--resume", RUN)
    record = run_record(tmp_path / "killed")
    made = record["nodes"]["classification.synthesize_images"]["outputs"]["classification.synthetic_images"]
    assert made["images_made"] == 160 - len(finished)
    assert made["images_kept"] == len(finished)
    assert len(record["attempts"]) == 2
    assert record["status"] == "finished"

    kedro_run(tmp_path / "undisturbed", "--pipelines", "classification_data", "--run-id", RUN, params=PARAMS)
    ours, theirs = promised_bytes(tmp_path / "killed"), promised_bytes(tmp_path / "undisturbed")
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert sum(name.endswith(".png") for name in ours) > 160
