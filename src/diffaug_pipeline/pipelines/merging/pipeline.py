"""Real images, synthetic images, decisions, copies -> `<arm>.training_set`."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.merging.nodes import (
    merge_augmented,
    merge_copy_paste,
    merge_random_filtered,
    merge_real_only,
    merge_synthetic_only,
)

SYNTHETIC = ["real_images", "synthetic_images", "filter_decisions", "copies"]
ARMS = {
    "real_only": (merge_real_only, ["real_images"]),
    "augmented": (merge_augmented, [*SYNTHETIC, "params:merging"]),
    "random_filtered": (merge_random_filtered, [*SYNTHETIC, "params:merging"]),
    "copy_paste": (
        merge_copy_paste,
        ["real_images", "composites", "filter_decisions", "copies_among_composites", "params:merging"],
    ),
    "synthetic_only": (merge_synthetic_only, SYNTHETIC),
}
MADE_FOR_ONE_ARM = {
    "composites": "copy_paste.synthetic_images",
    "copies_among_composites": "copy_paste.copies",
}


def create_pipeline(task: str, arms: Sequence[str]) -> Pipeline:
    """The stage of all `arms`, each in its namespace."""
    return sum((_merge(task, arm) for arm in arms), Pipeline([]))


def _merge(task: str, arm: str) -> Pipeline:
    function, inputs = ARMS[arm]
    return Pipeline(
        [Node(function, inputs=inputs, outputs="training_set", name="merge")],
        namespace=f"{task}.{arm}",
        inputs={
            name: f"{task}.{MADE_FOR_ONE_ARM.get(name, name)}" for name in inputs if not name.startswith("params:")
        },
        parameters={"params:merging": f"params:{task}.merging"} if "params:merging" in inputs else None,
        tags="merging",
    )
