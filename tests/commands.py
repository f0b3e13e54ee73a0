"""The command line under test."""

import sys
from pathlib import Path

FINISHED_RUN = "smoke-test"
"""Id of the finished runs that tests share."""
DETECTION_PARAMS = ("detection.labelling.batch_size=2",)
"""Of the finished run of detection; small batches leave time to kill another one in between."""


def kedro_run_command(data_root: Path, *words: str, params: tuple[str, ...] = ()) -> list[str]:
    """A `kedro run` on the smoke environment that keeps everything below `data_root`."""
    joined = ",".join((f"data_root={data_root}", *params))
    return [sys.executable, "-m", "kedro", "run", "--env", "smoke", "--params", joined, *words]
