"""Everything but detection works where Ultralytics is not installed; each check has a process of its own."""

import subprocess
from pathlib import Path

import pytest
from commands import without_package

NEED_ULTRALYTICS = {
    "detection.augmentation",
    "detection.prediction",
    "detection.references",
    "detection.training",
    "detection.ultralytics_api",
    "detection.yolo",
    "pretraining.detector",
    "pretraining.packing",
    "pretraining.quality",
    "robustness.detectors",
}
"""Modules that cannot be imported without it, below `diffaug_pipeline`."""
IMPORT_ALL = """
from importlib import import_module
from pkgutil import walk_packages
import diffaug_pipeline
from diffaug_pipeline.errors import MissingPackageError

for module in walk_packages(diffaug_pipeline.__path__, "diffaug_pipeline."):
    try:
        import_module(module.name)
    except MissingPackageError as error:
        assert "pip install 'diffaug_pipeline[detection]'" in str(error), error
        print("NEEDS", module.name.removeprefix("diffaug_pipeline."))
    else:
        print("WORKS", module.name.removeprefix("diffaug_pipeline."))
assert sys.modules.keys().isdisjoint({"ultralytics", "ray"})
"""


def run_without_ultralytics(code: str, project: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        without_package("ultralytics", code),
        capture_output=True,
        text=True,
        check=False,
        cwd=project,
    )


def kedro(*words: str) -> str:
    return f"from kedro.framework.cli.cli import main\nsys.argv = ['kedro', *{words!r}]\nmain()"


@pytest.mark.slow
def test_only_what_trains_or_runs_a_yolo_needs_ultralytics(project):
    done = run_without_ultralytics(IMPORT_ALL, project)
    assert done.returncode == 0, done.stderr
    outcomes = dict(reversed(line.split()) for line in done.stdout.splitlines() if line.startswith(("NEEDS", "WORKS")))
    assert {name for name, outcome in outcomes.items() if outcome == "NEEDS"} == NEED_ULTRALYTICS
    works = {"classification.training", "detection.options", "filtering.scenes", "pipelines.detection.nodes"}
    assert works <= {name for name, outcome in outcomes.items() if outcome == "WORKS"}


def test_all_pipelines_are_listed_without_ultralytics(project):
    done = run_without_ultralytics(kedro("registry", "list"), project)
    assert done.returncode == 0, done.stderr
    assert {"classification", "detection", "detection_controls"} <= set(done.stdout.replace("-", " ").split())


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--pipelines", "detection"), ()])
def test_running_detection_without_ultralytics_is_one_sentence_before_anything_is_made(project, tmp_path, words):
    done = run_without_ultralytics(kedro("run", "--env", "smoke", "--params", f"data_root={tmp_path}", *words), project)
    assert done.returncode == 1
    assert "detection needs Ultralytics, which is not installed" in done.stderr
    assert "or run --pipelines classification" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} <= {".lock"}


def test_the_check_notices_ultralytics(project):
    hidden = run_without_ultralytics("import ultralytics", project)
    assert hidden.returncode == 1
    assert "No module named 'ultralytics'" in hidden.stderr
