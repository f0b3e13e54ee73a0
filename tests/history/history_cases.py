"""A folder of runs as the ledger and the stages leave them."""

from functools import cache
from pathlib import Path

import numpy as np
from evaluations import evaluation_options
from kedro.io import DataCatalog, Version

from diffaug_pipeline.datasets import JSONDataset, RunRecordDataset
from diffaug_pipeline.evaluation.classification_metrics import ClassificationOutcomes
from diffaug_pipeline.evaluation.comparison import compare_arms

COMMIT = "0123456789abcdef"
CALIBRATION = {"accepted": {"cat": {"made": 50, "accepted": 30}, "dog": {"made": 50, "accepted": 12}}}
DATASETS = [
    f"{task}.{name}"
    for task in ("classification", "detection")
    for name in ("comparison", "filter_calibration", "dose_response", "robustness")
]


@cache
def comparison(accuracy: float, seeds: int = 5, images: int = 400) -> dict:
    """Of networks that are right so often with synthetic images, and 70 % of the time without."""
    outcomes = {"real_only": _outcomes(0.7, seeds, images, 0), "augmented": _outcomes(accuracy, seeds, images, 1)}
    return compare_arms(outcomes, evaluation_options())


def _outcomes(accuracy: float, seeds: int, images: int, salt: int) -> ClassificationOutcomes:
    truth = np.arange(images) % 2
    right = np.random.default_rng(salt).random((seeds, images)) < accuracy
    return ClassificationOutcomes(
        predicted=np.where(right, truth, 1 - truth),
        truth=truth,
        class_names=["cat", "dog"],
        seeds=list(range(seeds)),
        image_ids=[f"{number:04d}" for number in range(images)],
    )


def record(run_id: str = "a", status: str = "finished", started: str = "2026-01-01T12:00:00+00:00", **changes) -> dict:
    """A ledger entry of a run that made 100 images and compared two arms."""
    attempt = {"started": started, "code": {"commit": COMMIT, "changed": False}, "status": status}
    values = {
        "run_id": run_id,
        "status": status,
        "env": "smoke",
        "pipelines": ["classification"],
        "parameters": {"classification": {"synthesis": {"scheduler": "ddim", "num_inference_steps": 10}}},
        "nodes": {
            "classification.synthesize_images": {
                "tags": ["synthesis"],
                "seconds": 60.0,
                "outputs": {
                    "classification.synthetic_images": {"images_made": 70, "images_kept": 10, "images_reused": 20}
                },
            },
            "classification.compare_arms": {
                "tags": ["evaluation"],
                "seconds": 1.5,
                "outputs": {"classification.comparison": {}},
            },
            "classification.render_report": {
                "tags": ["evaluation"],
                "seconds": 0.5,
                "outputs": {"classification.report": {}},
            },
        },
        "attempts": [attempt],
    }
    return values | changes


def catalog(folder: Path) -> DataCatalog:
    """Of what the history is read from."""
    version = Version(None, "unused")
    datasets = {name: JSONDataset(filepath=str(folder / f"{name}.json"), version=version) for name in DATASETS}
    records = RunRecordDataset(filepath=str(folder / "run_record.json"), version=version)
    return DataCatalog(datasets | {"run_record": records})


def store(folder: Path, run_record: dict, **documents: dict) -> None:
    """Writes a run: its record, and its documents of classification by name."""
    version = Version(None, run_record["run_id"])
    RunRecordDataset(filepath=str(folder / "run_record.json"), version=version).save(run_record)
    for name, document in documents.items():
        JSONDataset(filepath=str(folder / f"classification.{name}.json"), version=version).save(document)
