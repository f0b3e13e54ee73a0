"""SIGKILL in the middle of synthesis, of composing and of training, then the same id again."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import kedro_run_command
from factories import tree_bytes

pytestmark = pytest.mark.slow
RUN = "killed"
PARAMS = ("classification.synthesis.images_per_class=16", "classification.synthesis.num_inference_steps=10")
SYNTHESIS = ("--pipelines", "classification_data", "--run-id", RUN)
PROMISED = ("02_intermediate", "03_primary", "04_synthetic", "05_filtered", "06_training_sets")


def promised_bytes(data_root: Path) -> dict[str, bytes]:
    return {f"{layer}/{name}": content for layer in PROMISED for name, content in tree_bytes(data_root / layer).items()}


def finished_batches(data_root: Path, name: str = "classification/synthetic_images") -> set[Path]:
    images = data_root / "04_synthetic" / name / ".staging" / RUN / "images"
    return set(images.glob("[!.]*"))


def run_record(data_root: Path) -> dict:
    return json.loads((data_root / "08_reporting" / "run_record.json" / RUN / "run_record.json").read_text())


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


DETECTION = ("--pipelines", "detection_controls", "--to-nodes", "detection.copy_paste.detect_on_test_images")
DETECTION_PARAMS = ("detection.labelling.batch_size=2", "detection.training.steps=20")


def reproducible_bytes(data_root: Path) -> dict[str, bytes]:
    """What is promised, and the networks and detections; seconds stand beside them in files of their own."""
    models = tree_bytes(data_root / "07_models")
    return promised_bytes(data_root) | {
        name: content
        for name, content in models.items()
        if name.endswith((".safetensors", "config.json", "predictions.parquet")) and not name.endswith("manifest.json")
    }


def test_a_detection_run_killed_while_composing_and_while_training_resumes_to_the_same_bytes(tmp_path, stop, kedro_run):
    killed, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    arm = "detection/copy_paste"
    words = kedro_run_command(killed, *DETECTION, "--run-id", RUN, params=DETECTION_PARAMS)
    stop(words, lambda: len(finished_batches(killed, f"{arm}/synthetic_images")) >= 2)
    composed = sum(len(list(batch.iterdir())) for batch in finished_batches(killed, f"{arm}/synthetic_images"))
    assert 4 <= composed < 12
    staged = killed / "07_models" / arm / "checkpoint" / ".staging" / RUN
    stop(kedro_run_command(killed, "--resume", RUN), (staged / "seed_0").exists)
    first_seed = (staged / "seed_0" / "training.json").read_bytes()
    kedro_run(killed, "--resume", RUN)
    record = run_record(killed)
    made = record["nodes"]["detection.copy_paste.compose_real_cutouts"]["outputs"]
    assert made["detection.copy_paste.synthetic_images"]["images_made"] == 12 - composed
    checkpoint = killed / "07_models" / arm / "checkpoint" / RUN / "checkpoint"
    assert (checkpoint / "seed_0" / "training.json").read_bytes() == first_seed
    assert [attempt.get("status", "killed") for attempt in record["attempts"]] == ["killed", "killed", "finished"]

    kedro_run(undisturbed, *DETECTION, "--run-id", RUN, params=DETECTION_PARAMS)
    ours, theirs = reproducible_bytes(killed), reproducible_bytes(undisturbed)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert sum(name.endswith(".safetensors") for name in ours) == 4
    assert sum(name.endswith("predictions.parquet") for name in ours) == 1
