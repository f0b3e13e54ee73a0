"""Synthetic and real images -> filter decisions, calibration; for detection also scores per box."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.filtering.nodes import (
    detect_with_references,
    filter_images,
    filter_scenes,
    train_references,
)


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`."""
    return Pipeline(FILTERS[task](), namespace=task, tags="filtering")


def _of_images() -> list[Node]:
    return [
        Node(
            filter_images,
            inputs=["synthetic_images", "real_images", "params:filtering"],
            outputs=["filter_decisions", "filter_calibration"],
            name="filter_images",
        )
    ]


def _of_scenes() -> list[Node]:
    return [
        Node(
            train_references,
            inputs=["real_images", "params:training", "params:references", "params:filtering", "params:labelling"],
            outputs="references",
            name="train_references",
        ),
        Node(
            detect_with_references,
            inputs=["references", "synthetic_images", "real_images", "params:training"],
            outputs="reference_detections",
            name="detect_with_references",
        ),
        Node(
            filter_scenes,
            inputs=["synthetic_images", "real_images", "reference_detections", "params:filtering"],
            outputs=["filter_decisions", "box_scores", "filter_calibration"],
            name="filter_scenes",
        ),
    ]


FILTERS = {"classification": _of_images, "detection": _of_scenes}
