"""`kedro versions` on a copy of the data folder of a real run."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from long_runs import FINISHED_RUN, ClassificationRun

pytestmark = pytest.mark.slow


@pytest.fixture
def data_root(classification_run: ClassificationRun, tmp_path: Path) -> Path:
    return shutil.copytree(classification_run.data_root, tmp_path / "data")


@pytest.fixture
def kedro_versions(
    data_root: Path, project: Path, environment: dict[str, str]
) -> Callable[..., subprocess.CompletedProcess]:
    seen = ("--env", "smoke", "--params", f"data_root={data_root}")

    def run(*words: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "kedro", "versions", *words, *seen]
        return subprocess.run(
            command, cwd=project, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    return run


def test_a_real_run_is_as_it_was_written_until_a_bit_flips(data_root, kedro_versions):
    well = kedro_versions("verify", FINISHED_RUN)
    assert (well.returncode, well.stderr) == (0, "")
    assert "problems: 0; changed inputs: 0" in well.stdout
    victim = next(data_root.glob("04_synthetic/classification/synthetic_images/*/*/images/*/*.png"))
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.chmod(0o644)
    victim.write_bytes(content)
    wrong = kedro_versions("verify", "--all")
    assert wrong.returncode == 1
    assert wrong.stdout.startswith(f"{victim} has changed since it was written\n")
    assert "Traceback" not in wrong.stderr


def test_what_is_to_be_kept_stays(data_root, kedro_versions):
    before = set(data_root.rglob("*"))
    done = kedro_versions("prune", "--keep", "100", "--yes")
    assert done.returncode == 0
    assert f"  {FINISHED_RUN}  " in done.stdout
    assert done.stdout.endswith("\nnothing goes.\n")
    assert set(data_root.rglob("*")) == before
    assert FINISHED_RUN in kedro_versions("ls").stdout
