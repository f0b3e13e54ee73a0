"""Shared by all tests: nothing may reach for the network, and threads do not fight."""

import os
from pathlib import Path
from typing import Any

import pytest

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
