"""Real images, class names -> synthesis plan."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.prompts.nodes import plan_synthesis


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`."""
    return Pipeline(
        [
            Node(
                plan_synthesis,
                inputs=[
                    "real_images",
                    "params:prompts",
                    "params:synthesis",
                    "params:generators",
                    "params:vocabularies",
                ],
                outputs="synthesis_plan",
                name="plan_synthesis",
            )
        ],
        namespace=task,
        parameters={"params:generators", "params:vocabularies"},
        tags="prompts",
    )
