"""Generated pictures, real images -> synthetic images with boxes; real images -> `copy_paste.synthetic_images`."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.labelling.nodes import compose_real_cutouts, detect_in_pictures, label_images


def create_pipeline(task: str, arms: Sequence[str]) -> Pipeline:
    """The stage in the namespace of `task`, with the control's scenes where `copy_paste` is among the `arms`."""
    scenes = Pipeline(
        [
            Node(
                detect_in_pictures,
                inputs=["references", "generated_images", "real_images", "params:labelling", "params:training"],
                outputs="picture_detections",
                name="detect_in_pictures",
            ),
            Node(
                label_images,
                inputs=["generated_images", "real_images", "picture_detections", "params:labelling"],
                outputs="synthetic_images",
                name="label_images",
            ),
        ],
        namespace=task,
        tags="labelling",
    )
    return scenes + _compose_real_cutouts(task) if "copy_paste" in arms else scenes


def _compose_real_cutouts(task: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                compose_real_cutouts,
                inputs=["real_images", "params:labelling"],
                outputs="synthetic_images",
                name="compose_real_cutouts",
            )
        ],
        namespace=f"{task}.copy_paste",
        inputs={"real_images": f"{task}.real_images"},
        parameters={"params:labelling": f"params:{task}.labelling"},
        tags="labelling",
    )
