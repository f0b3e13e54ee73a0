"""What is known about synthetic and real images -> filter decisions, calibration; for detection also scores per box."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.filtering.nodes import (
    filter_images,
    filter_scenes,
    read_image_overrides,
    read_scene_overrides,
)

KNOWN = ["synthetic_images", "real_images", "image_features", "copies", "copy_calibration", "filter_overrides"]
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
READERS = {"classification": read_image_overrides, "detection": read_scene_overrides}


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`."""
    read = Node(
        READERS[task],
        inputs=["real_images", "params:filtering"],
        outputs="filter_overrides",
        name="read_overrides",
    )
    return Pipeline([read, FILTERS[task]], namespace=task, tags="filtering")
