"""Real runs of the smoke environment that take half a minute, and what tests need to know about each."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from factories import tree_bytes, write_coco_folder, write_fashion_mnist, write_labelled_folder, write_yolo_folder
from omegaconf import OmegaConf

FINISHED_RUN = "smoke-test"
"""Id of the finished runs that tests share."""
DETECTION_PARAMS = ("detection.labelling.batch_size=2",)
"""Of the finished run of detection; small batches leave time to kill another one in between."""
STRANGERS_RUN = "mine"
LABELLED_FOLDER_EDIT = """
classification:
  ingestion:
    dataset: {dataset}
  synthesis: {{mode: image_to_image, strength: 0.3}}
"""
ANNOTATED_FOLDER_EDIT = """
detection:
  ingestion:
    dataset: {dataset}
  labelling: {{strategy: background_inpainting}}
"""
"""All that a stranger has to write, without boxes and with them."""

Kedro = Callable[..., subprocess.CompletedProcess]


@dataclass(frozen=True)
class ClassificationRun:
    """The two arms, then the controls under the same id."""

    data_root: Path
    printed: str
    """By the latter."""


def run_classification(folder: Path, project: Path, kedro_run: Kedro) -> ClassificationRun:
    for pipeline in ("classification", "classification_controls"):
        done = kedro_run(folder, "--pipelines", pipeline, "--run-id", FINISHED_RUN)
    return ClassificationRun(folder, done.stdout)


@dataclass(frozen=True)
class DetectionRun:
    """The same for detection."""

    data_root: Path
    printed: dict[str, subprocess.CompletedProcess]
    """By pipeline."""
    models_before: dict[str, bytes]
    """What lay among the models before the controls were added."""
    home: Path
    temporary: Path
    """Folders that nothing had touched before, where the run found its home and one for temporary files."""
    project_before: set[str]
    """What lay in the project folder before."""


def run_detection(folder: Path, project: Path, kedro_run: Kedro) -> DetectionRun:
    home, temporary, data_root = (folder / name for name in ("home", "tmp", "data"))
    home.mkdir()
    temporary.mkdir()
    before = {path.name for path in project.iterdir()}
    variables = {"HOME": str(home), "TMPDIR": str(temporary), "YOLO_CONFIG_DIR": ""}

    def run(pipeline: str) -> subprocess.CompletedProcess:
        words = ("--pipelines", pipeline, "--run-id", FINISHED_RUN)
        return kedro_run(data_root, *words, params=DETECTION_PARAMS, variables=variables)

    printed = {"detection": run("detection")}
    models = tree_bytes(data_root / "07_models")
    printed["detection_controls"] = run("detection_controls")
    return DetectionRun(data_root, printed, models, home, temporary, before)


@dataclass(frozen=True)
class StrangersRun:
    """From a folder as a stranger has it to a report."""

    photos: Path
    data_root: Path
    printed: str


def run_labelled_folder(folder: Path, project: Path, kedro_run: Kedro) -> StrangersRun:
    photos = write_labelled_folder(folder / "my photos")
    return _run_of_stranger(photos, LABELLED_FOLDER_EDIT, "classification", folder, project, kedro_run)


def run_annotated_folders(folder: Path, project: Path, kedro_run: Kedro) -> dict[str, StrangersRun]:
    """By format."""
    runs = {}
    for name, write in (("coco", write_coco_folder), ("yolo", write_yolo_folder)):
        photos = write(folder / name / "my photos")
        runs[name] = _run_of_stranger(photos, ANNOTATED_FOLDER_EDIT, "detection", folder / name, project, kedro_run)
    return runs


def _run_of_stranger(
    photos: Path, edit: str, pipeline: str, folder: Path, project: Path, kedro_run: Kedro
) -> StrangersRun:
    conf = folder / "conf"
    shutil.copytree(project / "conf", conf, ignore=shutil.ignore_patterns("local"))
    parameters = conf / "smoke" / "parameters.yml"
    edited = OmegaConf.create(edit.format(dataset=json.dumps(str(photos))))
    OmegaConf.save(OmegaConf.merge(OmegaConf.load(parameters), edited), parameters)
    words = ("--conf-source", str(conf), "--pipelines", pipeline, "--run-id", STRANGERS_RUN)
    return StrangersRun(photos, folder / "data", kedro_run(folder / "data", *words).stdout)


def run_pretraining(folder: Path, project: Path, kedro_run: Kedro) -> Path:
    """On a made-up Fashion-MNIST; returns the data folder."""
    source = write_fashion_mnist(folder / "idx", 40)
    params = (f"pretraining.pool.folder={source}", f"pretraining.pool.download_folder={folder / 'raw'}")
    kedro_run(folder / "data", "--pipelines", "pretraining", "--run-id", FINISHED_RUN, params=params)
    return folder / "data"


def run_scheduler_study(folder: Path, project: Path, kedro_run: Kedro) -> Path:
    """Returns the data folder."""
    kedro_run(folder, "--pipelines", "scheduler_study", "--run-id", FINISHED_RUN)
    return folder


LONG_RUNS: dict[str, Callable] = {
    "detection_run": run_detection,
    "classification_run": run_classification,
    "annotated_folder_runs": run_annotated_folders,
    "labelled_folder_run": run_labelled_folder,
    "pretraining_run": run_pretraining,
    "scheduler_study_run": run_scheduler_study,
}
"""By the name of the fixture that waits for it."""
