"""Synthetic and real images -> filter decisions, calibration."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.filtering.nodes import filter_images


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`."""
    return Pipeline(
        [
            Node(
                filter_images,
                inputs=["synthetic_images", "real_images", "params:filtering"],
                outputs=["filter_decisions", "filter_calibration"],
                name="filter_images",
            )
        ],
        namespace=task,
        tags="filtering",
    )
