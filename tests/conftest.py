"""Shared by all tests: nothing may reach for the network, and threads do not fight."""

import os
from pathlib import Path

import pytest

os.environ.update(
    DO_NOT_TRACK="1",
    HF_HUB_OFFLINE="1",
    OMP_NUM_THREADS="1",
    TOKENIZERS_PARALLELISM="false",
    YOLO_OFFLINE="1",
)

PROJECT = Path(__file__).parents[1]
END_TO_END = Path("tests/end_to_end")


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in its own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two workers side by side (`make test`): one takes all of end_to_end, which share long runs, the other the rest.

    What the tests of one file share is made once.
    """
    for item in items:
        place = item.path.relative_to(PROJECT)
        item.add_marker(pytest.mark.xdist_group("end_to_end" if END_TO_END in place.parents else str(place)))
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: END_TO_END not in item.path.relative_to(PROJECT).parents)


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
