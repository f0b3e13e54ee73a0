"""The command line under test."""

import sys
from pathlib import Path


def kedro_run_command(data_root: Path, *words: str, params: tuple[str, ...] = ()) -> list[str]:
    """A `kedro run` on the smoke environment that keeps everything below `data_root`."""
    joined = ",".join((f"data_root={data_root}", *params))
    return [sys.executable, "-m", "kedro", "run", "--env", "smoke", "--params", joined, *words]
