"""Synthesis plan, real images -> synthetic images, or what a label strategy makes them of."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.synthesis.nodes import synthesize_images, synthesize_within_budget

INPUTS = ["synthesis_plan", "real_images", "params:synthesis", "params:generators"]
BUDGET = ["params:budget", "params:features", "params:filtering"]


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`."""
    return Pipeline([NODES[task]()], namespace=task, parameters={"params:generators"}, tags="synthesis")


def synthesis_node(outputs: str = "synthetic_images") -> Node:
    """Makes what is planned; studies, which plan pictures of their own, have it among their nodes."""
    return Node(synthesize_images, inputs=INPUTS, outputs=outputs, name="synthesize_images")


def _of_labelled_images() -> Node:
    return Node(
        synthesize_within_budget, inputs=[*INPUTS, *BUDGET], outputs="synthetic_images", name="synthesize_images"
    )


def _of_pictures_to_label() -> Node:
    return synthesis_node("generated_images")


NODES = {"classification": _of_labelled_images, "detection": _of_pictures_to_label}
