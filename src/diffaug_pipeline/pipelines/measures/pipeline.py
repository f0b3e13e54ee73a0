"""Features, real and synthetic images, filter decisions -> measures of the synthetic set, their figure."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.measures.nodes import draw_measures, measure_synthetic_images


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`."""
    return Pipeline(
        [
            Node(
                measure_synthetic_images,
                inputs=["image_features", "real_images", "synthetic_images", "filter_decisions", "params:measures"],
                outputs=["measures", "measures_summary"],
                name="measure_synthetic_images",
            ),
            Node(draw_measures, inputs="measures_summary", outputs="measures_figure", name="draw_measures"),
        ],
        namespace=task,
        tags="measures",
    )
