"""A run that nothing has disturbed, to compare with those that something has."""

from pathlib import Path

import pytest
from faults.kills import RUN, Undisturbed, run_undisturbed
from faults.scale import FULL

PIPELINES = () if FULL else ("--pipelines", "classification_data")
"""At length the whole of both tasks."""


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, project: Path, environment: dict[str, str]) -> Undisturbed:
    """A finished smoke run."""
    words = ("--run-id", RUN, *PIPELINES)
    return run_undisturbed(tmp_path_factory.mktemp("undisturbed") / "data", words, project, environment)
