"""`<arm>.training_set`, real images -> `<arm>.checkpoint`, `<arm>.history`, `<arm>.predictions`."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.detection.nodes import detect_on_test_images, read_history, train_detectors


def create_pipeline(task: str, arms: Sequence[str]) -> Pipeline:
    """The stage of all `arms`, each in its namespace."""
    return sum((_train(task, arm) for arm in arms), Pipeline([]))


def _train(task: str, arm: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                train_detectors,
                inputs=["training_set", "real_images", "params:training"],
                outputs="checkpoint",
                name="train_detectors",
            ),
            Node(read_history, inputs="checkpoint", outputs="history", name="read_history"),
            Node(
                detect_on_test_images,
                inputs=["checkpoint", "real_images", "params:training"],
                outputs="predictions",
                name="detect_on_test_images",
            ),
        ],
        namespace=f"{task}.{arm}",
        inputs={"real_images": f"{task}.real_images"},
        parameters={"params:training": f"params:{task}.training"},
        tags="training",
    )
