"""Real images, class names, errors of classes -> synthesis plan."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.prompts.nodes import plan_scenes, plan_synthesis

SHARED = ["params:generators", "params:vocabularies"]
PLANS = {
    "classification": (plan_synthesis, ["params:prompts", "params:synthesis", "params:budget"]),
    "detection": (plan_scenes, ["params:prompts", "params:synthesis", "params:labelling", "params:budget"]),
}


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`."""
    function, options = PLANS[task]
    return Pipeline(
        [
            Node(
                function,
                inputs=["real_images", "class_errors", *options, *SHARED],
                outputs="synthesis_plan",
                name="plan_synthesis",
            )
        ],
        namespace=task,
        parameters=set(SHARED),
        tags="prompts",
    )
