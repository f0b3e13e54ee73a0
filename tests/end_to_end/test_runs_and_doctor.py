"""`kedro runs` and `kedro doctor` on the data folder of a real run."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from long_runs import FINISHED_RUN, ClassificationRun

pytestmark = pytest.mark.slow


@pytest.fixture
def kedro(classification_run: ClassificationRun, project: Path, environment: dict[str, str]) -> Callable[..., str]:
    """What a command prints about that folder."""
    seen = ("--env", "smoke", "--params", f"data_root={classification_run.data_root}")

    def ask(*words: str) -> str:
        command = [sys.executable, "-m", "kedro", *words, *seen]
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        return done.stdout

    return ask


def test_a_real_run_is_listed_shown_and_equal_to_itself(kedro, classification_run):
    listed = kedro("runs", "--task", "classification").splitlines()
    at = next(number for number, line in enumerate(listed) if line.startswith(FINISHED_RUN))
    assert listed[at].split()[1] == "finished"
    assert listed[at + 2].startswith("  classification: inconclusive, top-1 accuracy ")  # two seeds
    shown = kedro("runs", "show", FINISHED_RUN)
    report = shown.split("reports and datasets\n  ")[1].splitlines()[0]
    assert Path(report).is_relative_to(classification_run.data_root)
    assert Path(report).is_file()
    assert "  attempt 2: " in shown  # the controls
    compared = kedro("runs", "compare", FINISHED_RUN, FINISHED_RUN)
    assert "WARNING" not in compared
    for what in ("parameters", "code", "libraries"):
        assert f"{what} that differ: 0" in compared


def test_the_doctor_finds_nothing_wrong_with_the_folder_of_a_real_run(kedro, classification_run):
    told = kedro("doctor", "--task", "classification")
    assert "\nproblem " not in told
    unfolded = " ".join(told.split())
    assert f" ok data folder: {classification_run.data_root} can be written to" in unfolded
    assert "\nok       clock: " in told
