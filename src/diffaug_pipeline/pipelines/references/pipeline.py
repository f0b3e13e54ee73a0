"""Real images -> models that have not seen them all, errors of classes; these and synthetic images -> predictions."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.references.nodes import (
    detect_with_references,
    measure_classifier_errors,
    measure_detector_errors,
    predict_with_references,
    train_classifiers,
    train_detectors,
)

ASKING = {
    "classification": ["params:filtering", "params:budget"],
    "detection": ["params:filtering", "params:labelling", "params:budget"],
}
"""The blocks that may ask for references."""
STEPS = {
    "classification": (train_classifiers, measure_classifier_errors, predict_with_references, "reference_predictions"),
    "detection": (train_detectors, measure_detector_errors, detect_with_references, "reference_detections"),
}


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`: its first two nodes come before prompts, the last one after synthesis."""
    train, measure_errors, judge, judgements = STEPS[task]
    return Pipeline(
        [
            Node(
                train,
                inputs=["real_images", "params:training", "params:references", *ASKING[task]],
                outputs="references",
                name="train_references",
            ),
            Node(
                measure_errors,
                inputs=["references", "real_images", "params:training", "params:budget"],
                outputs="class_errors",
                name="measure_class_errors",
            ),
            Node(
                judge,
                inputs=["references", "synthetic_images", "real_images", "params:training", "params:filtering"],
                outputs=judgements,
                name=judge.__name__,
            ),
        ],
        namespace=task,
        tags="references",
    )
