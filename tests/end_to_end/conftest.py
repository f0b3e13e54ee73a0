"""Real `kedro` commands in real processes, each test with a data folder of its own."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import kedro_run_command

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
