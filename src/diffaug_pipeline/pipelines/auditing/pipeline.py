"""Image features, real and synthetic images -> near-copies among the synthetic ones, and how they were told."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.auditing.nodes import find_copies, find_copies_in_control

INPUTS = ["image_features", "real_images", "synthetic_images", "params:auditing"]
OUTPUTS = ["copies", "copy_calibration"]


def create_pipeline(task: str, arms: Sequence[str]) -> Pipeline:
    """The stage in the namespace of `task`, with the control's scenes where `copy_paste` is among the `arms`."""
    audit = Pipeline(
        [Node(find_copies, inputs=INPUTS, outputs=OUTPUTS, name="find_copies")], namespace=task, tags="auditing"
    )
    return audit + _audit_control(task) if "copy_paste" in arms else audit


def _audit_control(task: str) -> Pipeline:
    return Pipeline(
        [Node(find_copies_in_control, inputs=INPUTS, outputs=OUTPUTS, name="find_copies_in_control")],
        namespace=f"{task}.copy_paste",
        inputs={name: f"{task}.{name}" for name in ("image_features", "real_images")},
        parameters={"params:auditing": f"params:{task}.auditing"},
        tags="auditing",
    )
