"""What is known about synthetic and real images -> filter decisions, calibration; for detection also scores per box."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.filtering.nodes import filter_images, filter_scenes

KNOWN = ["synthetic_images", "real_images", "image_features", "copies", "copy_calibration"]
FILTERS = {
    "classification": Node(
        filter_images,
        inputs=[*KNOWN, "reference_predictions", "params:filtering"],
        outputs=["filter_decisions", "filter_calibration"],
        name="filter_images",
    ),
    "detection": Node(
        filter_scenes,
        inputs=[*KNOWN, "reference_detections", "params:filtering"],
        outputs=["filter_decisions", "box_scores", "filter_calibration"],
        name="filter_scenes",
    ),
}


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`."""
    return Pipeline([FILTERS[task]], namespace=task, tags="filtering")
