"""Synthesis plan, real images -> synthetic images, or what a label strategy makes them of."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.synthesis.nodes import synthesize_images

OUTPUTS = {"classification": "synthetic_images", "detection": "generated_images"}


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`."""
    return Pipeline(
        [
            Node(
                synthesize_images,
                inputs=["synthesis_plan", "real_images", "params:synthesis", "params:generators"],
                outputs=OUTPUTS[task],
                name="synthesize_images",
            )
        ],
        namespace=task,
        parameters={"params:generators"},
        tags="synthesis",
    )
