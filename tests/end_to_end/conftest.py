"""Real `kedro` commands in real processes, each test with a data folder of its own."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import DETECTION_PARAMS, FINISHED_RUN, kedro_run_command
from factories import tree_bytes

Kedro = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Wide enough that nothing is wrapped."""
    return os.environ | {"COLUMNS": "200", "PYTHONWARNINGS": "ignore"}


@pytest.fixture(scope="session")
def kedro_run(project: Path, environment: dict[str, str]) -> Kedro:
    """Runs to the end and returns what was printed; `variables` are added to the environment."""

    def run(
        data_root: Path,
        *words: str,
        params: tuple[str, ...] = (),
        check: bool = True,
        variables: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess:
        done = subprocess.run(
            kedro_run_command(data_root, *words, params=params),
            cwd=project,
            env=environment | (variables or {}),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
        return done

    return run


@dataclass(frozen=True)
class ClassificationRun:
    """The two arms, then the controls under the same id."""

    data_root: Path
    printed: str
    """By the latter."""


@pytest.fixture(scope="session")
def classification_run(kedro_run: Kedro, tmp_path_factory: pytest.TempPathFactory) -> ClassificationRun:
    """The classification task in miniature, finished; tests that share it add runs of other ids at most."""
    data_root = tmp_path_factory.mktemp("classification")
    for pipeline in ("classification", "classification_controls"):
        done = kedro_run(data_root, "--pipelines", pipeline, "--run-id", FINISHED_RUN)
    return ClassificationRun(data_root, done.stdout)


@dataclass(frozen=True)
class DetectionRun:
    """The same for detection."""

    data_root: Path
    printed: dict[str, subprocess.CompletedProcess]
    """By pipeline."""
    models_before: dict[str, bytes]
    """What lay among the models before the controls were added."""
    home: Path
    temporary: Path
    """Folders that nothing had touched before, where the run found its home and one for temporary files."""
    project_before: set[str]
    """What lay in the project folder before."""


@pytest.fixture(scope="session")
def detection_run(project: Path, kedro_run: Kedro, tmp_path_factory: pytest.TempPathFactory) -> DetectionRun:
    """The detection task in miniature, finished; tests that share it add runs of other ids at most."""
    folder = tmp_path_factory.mktemp("detection")
    home, temporary, data_root = (folder / name for name in ("home", "tmp", "data"))
    home.mkdir()
    temporary.mkdir()
    before = {path.name for path in project.iterdir()}
    variables = {"HOME": str(home), "TMPDIR": str(temporary), "YOLO_CONFIG_DIR": ""}

    def run(pipeline: str) -> subprocess.CompletedProcess:
        words = ("--pipelines", pipeline, "--run-id", FINISHED_RUN)
        return kedro_run(data_root, *words, params=DETECTION_PARAMS, variables=variables)

    printed = {"detection": run("detection")}
    models = tree_bytes(data_root / "07_models")
    printed["detection_controls"] = run("detection_controls")
    return DetectionRun(data_root, printed, models, home, temporary, before)
