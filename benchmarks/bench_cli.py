"""`kedro registry list` here against a bare Kedro project with as many pipelines."""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project
from table import in_turn, print_table, ratio

PROJECT = Path(__file__).parents[1]
ROUNDS = 9
LIST = [sys.executable, "-m", "kedro", "registry", "list"]


def make_bare_project(folder: Path, names: list[str]) -> Path:
    """What `kedro new` gives without tools, with a registry of trivial pipelines."""
    words = ("new", "--name", "bare", "--tools", "none", "--example", "n", "--telemetry", "no")
    subprocess.run(
        [sys.executable, "-m", "kedro", *words],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    registry = folder / "bare" / "src" / "bare" / "pipeline_registry.py"
    registry.write_text(
        "from kedro.pipeline import Node, Pipeline\n\n\n"
        "def same(value):\n    return value\n\n\n"
        "def register_pipelines():\n"
        f"    return {{name: Pipeline([Node(same, 'a', 'b', name='n')]) for name in {names!r}}}\n"
    )
    return folder / "bare"


def main() -> None:
    bootstrap_project(PROJECT)
    environment = os.environ | {"DO_NOT_TRACK": "1"}
    with tempfile.TemporaryDirectory() as folder:
        bare = make_bare_project(Path(folder), sorted(pipelines))
        ways = {
            name: lambda cwd=cwd: subprocess.run(LIST, cwd=cwd, env=environment, check=True, capture_output=True)
            for name, cwd in (("here", PROJECT), ("bare", bare))
        }
        seconds = in_turn(ways, ROUNDS)
    print_table(
        f"kedro registry list, {len(pipelines)} pipelines",
        [(name, f"{statistics.median(values):.2f} s") for name, values in seconds.items()]
        + [("here over bare", ratio(seconds["here"], seconds["bare"]))],
    )


if __name__ == "__main__":
    main()
