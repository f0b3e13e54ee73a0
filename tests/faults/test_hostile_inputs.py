"""Hostile datasets are refused by name or handled: nothing is raised, hangs, swells, leaves the folder or is executed.

One in eight of each kind; all of them with `DIFFAUG_FAULTS=full`.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import yaml
from factories import smooth_image
from faults.hostile_case import SECRET, Case, class_folders, fill_canaries
from faults.hostile_corpus import ONCE_WENT_WRONG, hostile_cases, one_in
from faults.picture_bytes import encoded
from faults.scale import FULL

from diffaug_pipeline.ingestion.ingest import ingest
from diffaug_pipeline.ingestion.options import IngestionOptions

pytestmark = pytest.mark.long

ALL_CASES = hostile_cases()
CASES = one_in(1 if FULL else 8, ALL_CASES)
SECONDS, MEBIBYTES = 60, 1_500
"""That one dataset may take; the largest pictures allowed, 50 megapixels with transparency, take half of it."""
LONGEST_PATH = 4_096
CHILD = Path(__file__).with_name("confined_ingestion.py")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory, project) -> dict[str, dict[str, Any]]:
    """What became of each case, by name, and in which folder it lay."""
    base = tmp_path_factory.mktemp("hostile")
    fill_canaries(base / "outside")
    folders = {case.name: base / f"case{number}" / "data" for number, case in enumerate(CASES)}
    for case in CASES:
        case.build(folders[case.name], base / "outside")
    before = contents(base)
    requests = [
        {"name": case.name, "task": case.task, "options": options(project, case, folders[case.name])} for case in CASES
    ]
    found = {outcome["name"]: outcome | {"folder": folders[outcome["name"]]} for outcome in ingested(requests, base)}
    assert contents(base) == before, "ingestion has written below the datasets or beside them"
    return found


def options(project: Path, case: Case, folder: Path) -> dict[str, Any]:
    """As they are shipped."""
    shipped = yaml.safe_load((project / f"conf/base/parameters_{case.task}.yml").read_text())[case.task]["ingestion"]
    return shipped | {"dataset": str(folder / case.dataset)} | case.options


def ingested(requests: list[dict[str, Any]], base: Path) -> Iterator[dict[str, Any]]:
    """Outcomes in order; a case that ends the process is `killed`, and those behind it go on in another."""
    while requests:
        finished = subprocess.run(
            [sys.executable, str(CHILD), str(SECONDS), str(MEBIBYTES)],
            input=json.dumps(requests),
            capture_output=True,
            text=True,
            cwd=base,
            check=False,
        )
        outcomes = [json.loads(line) for line in finished.stdout.splitlines()]
        yield from outcomes
        requests = requests[len(outcomes) :]
        if requests:
            yield {"name": requests.pop(0)["name"], "outcome": "killed", "message": finished.stderr[-2_000:]} | {
                "opened": [],
                "written": [],
                "actions": [],
                "mebibytes": 0,
                "code": finished.returncode,
            }


def contents(base: Path) -> dict[str, tuple[int, int]]:
    """Size and time of all that lies there."""
    found = {}
    for folder, folders, files in os.walk(base):
        for path in (Path(folder, name) for name in (*folders, *files)):
            if len(str(path)) < LONGEST_PATH:
                found[str(path)] = path.lstat().st_size, path.lstat().st_mtime_ns
    return found


def test_there_are_five_hundred_and_those_that_once_went_wrong_are_among_them():
    names = [case.name for case in ALL_CASES]
    assert len(set(names)) == len(names) >= 500
    assert set(names) >= ONCE_WENT_WRONG


@pytest.mark.parametrize("kind", sorted({case.kind for case in CASES}))
def test_hostile_datasets_are_refused_by_name_or_handled(outcomes, kind):
    wrong = {
        case.name: found
        for case in CASES
        if case.kind == kind and (found := list(violations(case, outcomes[case.name])))
    }
    assert wrong == {}


def violations(case: Case, outcome: dict[str, Any]) -> Iterator[str]:
    """What must not be."""
    if outcome["outcome"] in ("killed", "raised"):
        yield f"{outcome['outcome']}: {outcome['message']}"
        return
    if outcome["mebibytes"] > MEBIBYTES:
        yield f"took {outcome['mebibytes']} MiB"
    yield from (f"did {action}" for action in outcome["actions"])
    yield from (f"wrote {path}" for path in outcome["written"])
    inside = str(outcome["folder"])
    yield from (f"looked at {path}" for path in outcome["opened"] if not is_allowed(path, inside))
    told = json.dumps({key: outcome[key] for key in ("message", "report", "image_ids") if key in outcome})
    if SECRET in told:
        yield "told what lies outside"
    if outcome["outcome"] == "refused":
        yield from _wrong_refusal(case, outcome["message"])
    else:
        yield from _wrong_report(case, outcome)


def is_allowed(path: str, inside: str) -> bool:
    """The dataset, what Python itself consists of, and what is known about this process."""
    libraries = (
        sys.prefix,
        sys.base_prefix,
        str(Path(__file__).parents[2] / "src"),
        "/usr/lib",
        "/sys",
        "/etc/localtime",
    )
    return path.startswith((inside, *libraries)) or path in inside


def _wrong_refusal(case: Case, message: str) -> Iterator[str]:
    if case.outcome == "used":
        yield f"refused: {message}"
    if not message.strip() or "Traceback" in message:
        yield f"no sentence: {message!r}"


def _wrong_report(case: Case, outcome: dict[str, Any]) -> Iterator[str]:
    report, used = outcome["report"], outcome["image_ids"]
    if case.outcome == "refused" and not case.names:
        yield "the dataset was used"
    if report["used"] != len(used) or report["found"] < report["used"]:
        yield f"{report['used']} of {report['found']} used, but {len(used)} came"
    for name in case.names:
        refused = next((reason for entry, reason in report["refused"].items() if name in entry), None)
        is_used = any(name in image_id for image_id in used)
        if case.outcome == "refused" and (refused is None or is_used):
            yield f"{name} is not refused"
        if case.outcome == "used" and not is_used:
            yield f"{name} is not used: {refused}"
        if refused is None and not is_used:
            yield f"{name} is not mentioned"
        if refused is not None and not refused.strip():
            yield f"{name} is refused without a reason"


def test_a_file_that_changes_while_it_is_read_is_one_or_the_other(project, tmp_path):
    class_folders(tmp_path)
    file, stop = tmp_path / "dog" / "0.png", Event()
    contents = [encoded("PNG", smooth_image(f"turn {number}", (400, 300))) for number in range(5)]

    def rewrite() -> None:
        for content in cycle(contents):
            if stop.is_set():
                return
            file.write_bytes(content)

    shipped = yaml.safe_load((project / "conf/base/parameters_classification.yml").read_text())
    options = IngestionOptions(**shipped["classification"]["ingestion"] | {"dataset": str(tmp_path)})
    known = {hashlib.sha256(content).hexdigest() for content in contents}
    writing = Thread(target=rewrite)
    writing.start()
    try:
        for _ in range(10):
            images, report = ingest(options)
            entry = images.index[images.index["image_id"] == "dog/0.png"]
            assert set(entry["sha256"]) <= known
            assert len(entry) == 1 or report["refused"]["dog/0.png"].startswith(("damaged", "the file is empty"))
    finally:
        stop.set()
        writing.join()
