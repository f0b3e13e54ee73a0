"""The command line under test."""

import sys
from pathlib import Path


def kedro_run_command(data_root: Path, *words: str, params: tuple[str, ...] = ()) -> list[str]:
    """A `kedro run` on the smoke environment that keeps everything below `data_root`."""
    joined = ",".join((f"data_root={data_root}", *params))
    return [sys.executable, "-m", "kedro", "run", "--env", "smoke", "--params", joined, *words]


def kedro_app_command(data_root: Path, conf_source: Path, *words: str) -> list[str]:
    """A `kedro app` that looks at the runs of the smoke environment below `data_root`."""
    seen = ("--env", "smoke", "--conf-source", str(conf_source), "--params", f"data_root={data_root}")
    return [sys.executable, "-m", "kedro", "app", *seen, *words]


def without_package(name: str, code: str) -> list[str]:
    """Runs `code` in a Python that does not find the package called `name`."""
    return [sys.executable, "-c", f"{_HIDE.format(name=name)}\n{code}"]


_HIDE = """
import sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] == "{name}" else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""
