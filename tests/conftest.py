"""Shared by all tests: nothing may reach for the network, and threads do not fight."""

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from long_runs import Kedro

os.environ.update(
    DO_NOT_TRACK="1",
    HF_HUB_OFFLINE="1",
    OMP_NUM_THREADS="1",
    TOKENIZERS_PARALLELISM="false",
    YOLO_OFFLINE="1",
)

PROJECT = Path(__file__).parents[1]
END_TO_END = "tests/end_to_end/"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Two workers side by side (`make test`): one takes all of end_to_end, which share long runs, the other the rest.

    What the tests of one file share is made once.
    """
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return END_TO_END if nodeid.startswith(END_TO_END) else super()._split_scope(nodeid)

    return Scheduling(config, log)


@pytest.fixture(scope="session")
def project() -> Path:
    """The project folder."""
    return PROJECT


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Wide enough that nothing is wrapped."""
    return os.environ | {"COLUMNS": "200", "PYTHONWARNINGS": "ignore"}


@pytest.fixture(scope="session")
def kedro_run(project: Path, environment: dict[str, str]) -> "Kedro":
    """Runs to the end and returns what was printed; `variables` are added to the environment."""
    from commands import kedro_run_command

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


@pytest.fixture(scope="session")
def tiny_generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion folder of the real classes, a few kilobytes, saved like any other."""
    from models import save_tiny_generator

    return save_tiny_generator(tmp_path_factory.mktemp("generator"))


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP folder of the real classes with random weights."""
    from models import save_tiny_clip

    return save_tiny_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="session")
def tiny_owl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OWLv2 folder of the real classes with random weights."""
    from models import save_tiny_owl

    return save_tiny_owl(tmp_path_factory.mktemp("owl"))


@pytest.fixture(scope="session")
def tiny_grounding_dino(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Grounding DINO folder of the real classes with random weights."""
    from models import save_tiny_grounding_dino

    return save_tiny_grounding_dino(tmp_path_factory.mktemp("grounding_dino"))
