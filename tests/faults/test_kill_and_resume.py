"""SIGKILL at random moments of a run, then the same id again; all fifty with DIFFAUG_FAULTS=full, a few otherwise.

Fifty take long, so moments that went well are noted in pytest's cache, and are not tried again with the same code.
"""

import json
import os
import subprocess
import sys
import time
import zlib
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest
from factories import tree_bytes
from faults.kills import RUN, Moment, Undisturbed, assert_same_artifacts, assert_valid_artifacts, kill_at
from faults.orphans import dataset, planned_slowly
from faults.scale import FULL

from diffaug_pipeline.run_environment import code_digests

pytestmark = pytest.mark.long
TESTS = Path(__file__).parents[1]
MOMENTS = 50 if FULL else 2


@pytest.fixture(scope="module")
def notes(request: pytest.FixtureRequest) -> Path | None:
    """A line per moment that went well with this very code; nothing is noted of a few."""
    if not FULL:
        return None
    code = zlib.crc32(json.dumps(code_digests()).encode())
    return Path(request.config.cache.mkdir("killed_runs")) / f"{code:08x}.jsonl"


@pytest.mark.parametrize("number", range(MOMENTS))
def test_a_run_killed_at_any_moment_resumes_to_the_same_bytes(
    number, tmp_path, undisturbed: Undisturbed, project, environment, kedro_run, notes
):
    if notes and notes.exists() and number in {json.loads(line)["number"] for line in notes.read_text().splitlines()}:
        pytest.skip(f"went well before, see {notes}")
    data_root = tmp_path / "data"
    moment = kill_at(Moment.draw(number), data_root, undisturbed, project, environment)
    reached = nodes_finished(data_root)
    begun = time.monotonic()
    if reached is None:
        kedro_run(data_root, *undisturbed.words)
    else:
        kedro_run(data_root, "--resume", RUN)
    assert_same_artifacts(data_root, undisturbed.data_root)
    assert_valid_artifacts(data_root)
    if notes:
        told = {"number": number, **asdict(moment), "reached": reached, "resumed_in_s": time.monotonic() - begun}
        with notes.open("a") as file:
            file.write(json.dumps(told) + "\n")


SAVE_WITH_WORKERS = """
import sys
from pathlib import Path
from faults.orphans import dataset, planned_slowly

if __name__ == "__main__":
    dataset(Path(sys.argv[1])).save(planned_slowly(workers=2))
"""


@pytest.mark.parametrize("number", range(20 if FULL else 1))
def test_workers_that_outlive_a_killed_parent_do_not_disturb_the_resumed_run(number, tmp_path):
    """It goes on at once; they notice within half a second that they are alone, and write until then."""
    script = tmp_path / "save.py"
    script.write_text(SAVE_WITH_WORKERS)
    parent = subprocess.Popen([sys.executable, script, tmp_path], env=os.environ | {"PYTHONPATH": str(TESTS)})
    finished = tmp_path / "images" / ".staging" / "r1" / "images"
    while len(list(finished.glob("[!.]*"))) < 2 + number:
        assert parent.poll() is None
        time.sleep(0.005)
    workers = psutil.Process(parent.pid).children(recursive=True)
    parent.kill()
    parent.wait()
    alive_at_resume = [worker for worker in workers if worker.is_running()]
    resumed = dataset(tmp_path)
    resumed.save(planned_slowly(workers=0))
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive_at_resume
    assert alive == []
    undisturbed = dataset(tmp_path / "undisturbed")
    undisturbed.save(planned_slowly(workers=0))
    assert tree_bytes(resumed.load_path) == tree_bytes(undisturbed.load_path)
    assert resumed.verify() == []


def nodes_finished(data_root: Path) -> int | None:
    """How many the record tells of; None if the run was killed before there was one to resume."""
    record = data_root / "08_reporting" / "run_record.json" / RUN / "run_record.json"
    if not record.exists():
        return None
    return sum(bool(node["outputs"]) for node in json.loads(record.read_text())["nodes"].values())
