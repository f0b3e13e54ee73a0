"""The training set of the arm augmented, and what is known about it -> the augmented dataset for others."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.export.nodes import export_images, export_scenes

ARTIFACTS = {
    "real_images": "real_images",
    "synthetic_images": "synthetic_images",
    "training_set": "augmented_training_set",
    "references": "references",
    "filter_decisions": "filter_decisions",
    "filter_calibration": "filter_calibration",
    "copies": "copies",
    "copy_calibration": "copy_calibration",
    "ingestion_report": "ingestion_report",
    "comparison": "comparison",
    "run_record": "run_record",
}
OPTIONS = {"options": "params:export", "generators": "params:generators", "licences": "params:licences"}
EXPORTS = {"classification": export_images, "detection": export_scenes}


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`."""
    return Pipeline(
        [Node(EXPORTS[task], inputs=ARTIFACTS | OPTIONS, outputs="exported_dataset", name="export_dataset")],
        namespace=task,
        inputs={"augmented_training_set": f"{task}.augmented.training_set", "run_record": "run_record"},
        parameters={"params:generators", "params:licences"},
        tags="export",
    )
