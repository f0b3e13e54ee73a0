"""Synthesis plan, real images -> synthetic images, or what a label strategy makes them of."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.synthesis.nodes import synthesize_images

OUTPUTS = {"classification": "synthetic_images", "detection": "generated_images"}


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`."""
    return Pipeline([synthesis_node(OUTPUTS[task])], namespace=task, parameters={"params:generators"}, tags="synthesis")


def synthesis_node(outputs: str = "synthetic_images") -> Node:
    """Makes what is planned; studies, which plan pictures of their own, have it among their nodes."""
    return Node(
        synthesize_images,
        inputs=["synthesis_plan", "real_images", "params:synthesis", "params:generators"],
        outputs=outputs,
        name="synthesize_images",
    )
