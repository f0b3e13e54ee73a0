"""SIGKILL in the middle of synthesis, of composing and of training, then the same id again."""

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import DETECTION_PARAMS, DETECTION_RUN, kedro_run_command
from factories import tree_bytes

pytestmark = pytest.mark.slow
RUN = "killed"
PARAMS = ("classification.synthesis.images_per_class=16", "classification.synthesis.num_inference_steps=10")
SYNTHESIS = ("--pipelines", "classification_data", "--run-id", RUN)
PROMISED = ("02_intermediate", "03_primary", "04_synthetic", "05_filtered", "06_training_sets")


def promised_bytes(data_root: Path) -> dict[str, bytes]:
    return {f"{layer}/{name}": content for layer in PROMISED for name, content in tree_bytes(data_root / layer).items()}


def finished_batches(data_root: Path) -> set[Path]:
    images = data_root / "04_synthetic" / "classification" / "synthetic_images" / ".staging" / RUN / "images"
    return set(images.glob("[!.]*"))


def run_record(data_root: Path, run: str = RUN) -> dict:
    return json.loads((data_root / "08_reporting" / "run_record.json" / run / "run_record.json").read_text())


@pytest.fixture
def stop(project: Path, environment: dict[str, str]) -> Callable:
    """Starts a command, sends it a signal once something is reached, returns what it printed as errors."""

    def start_and_stop(words: list[str], reached: Callable[[], bool], how: signal.Signals = signal.SIGKILL) -> str:
        process = subprocess.Popen(
            words, cwd=project, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
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


def test_an_interrupted_run_says_how_to_go_on(tmp_path, stop):
    words = kedro_run_command(tmp_path, *SYNTHESIS, params=PARAMS)
    printed = stop(words, lambda: len(finished_batches(tmp_path)) >= 3, signal.SIGINT)
    assert f"kedro run --resume {RUN} --env smoke --params data_root={tmp_path}" in printed
    assert run_record(tmp_path)["status"] == "interrupted"


def test_a_killed_run_resumes_to_the_same_bytes(tmp_path, stop, kedro_run):
    killed = tmp_path / "killed"
    stop(kedro_run_command(killed, *SYNTHESIS, params=PARAMS), lambda: len(finished_batches(killed)) >= 3)
    finished = {path.name for batch in finished_batches(killed) for path in batch.iterdir()}
    assert 60 <= len(finished) < 160
    kedro_run(killed, "--resume", RUN)
    record = run_record(killed)
    made = record["nodes"]["classification.synthesize_images"]["outputs"]["classification.synthetic_images"]
    assert made["images_made"] == 160 - len(finished)
    assert made["images_kept"] == len(finished)
    assert len(record["attempts"]) == 2
    assert record["status"] == "finished"

    kedro_run(tmp_path / "undisturbed", *SYNTHESIS, params=PARAMS)
    ours, theirs = promised_bytes(killed), promised_bytes(tmp_path / "undisturbed")
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert sum(name.endswith(".png") for name in ours) > 160


def reproducible_bytes(data_root: Path) -> dict[str, bytes]:
    """What is promised, and the networks and detections; seconds stand beside them in files of their own."""
    models = {
        name: content
        for name, content in tree_bytes(data_root / "07_models").items()
        if name.endswith((".safetensors", "/config.json", "/predictions.parquet"))
    }
    return promised_bytes(data_root) | models


def test_a_detection_run_killed_while_composing_and_while_training_resumes_to_the_same_bytes(
    tmp_path, stop, kedro_run, detection_run
):
    arm, last = "detection/copy_paste", "detection.copy_paste.detect_on_test_images"
    words = ("--pipelines", "detection_controls", "--to-nodes", last, "--run-id", DETECTION_RUN)
    composing = tmp_path / "04_synthetic" / arm / "synthetic_images" / ".staging" / DETECTION_RUN / "images"
    training = tmp_path / "07_models" / arm / "checkpoint" / ".staging" / DETECTION_RUN / "seed_0"

    def batches() -> list[Path]:
        return list(composing.glob("[!.]*"))

    stop(kedro_run_command(tmp_path, *words, params=DETECTION_PARAMS), lambda: len(batches()) >= 2)
    composed = sum(len(list(batch.iterdir())) for batch in batches())
    assert 4 <= composed < 12
    stop(kedro_run_command(tmp_path, "--resume", DETECTION_RUN), training.exists)
    first_seed = (training / "training.json").read_bytes()
    kedro_run(tmp_path, "--resume", DETECTION_RUN)
    record = run_record(tmp_path, DETECTION_RUN)
    made = record["nodes"]["detection.copy_paste.compose_real_cutouts"]["outputs"]
    assert made["detection.copy_paste.synthetic_images"]["images_made"] == 12 - composed
    checkpoint = tmp_path / "07_models" / arm / "checkpoint" / DETECTION_RUN / "checkpoint"
    assert (checkpoint / "seed_0" / "training.json").read_bytes() == first_seed
    assert [attempt.get("status", "killed") for attempt in record["attempts"]] == ["killed", "killed", "finished"]

    ours, undisturbed = reproducible_bytes(tmp_path), reproducible_bytes(detection_run.data_root)
    assert ours.keys() <= undisturbed.keys()
    assert [name for name in ours if ours[name] != undisturbed[name]] == []
    kinds = Counter(Path(name).suffix for name in ours)
    assert kinds[".safetensors"] == 4  # two seeds, two folds of references
    assert kinds[".png"] > 50
    assert sum(name.endswith("predictions.parquet") for name in ours) == 1
