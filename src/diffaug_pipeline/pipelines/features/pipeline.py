"""Real and synthetic images -> image features."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.features.nodes import embed_boxes, embed_images

EMBED = {"classification": embed_images, "detection": embed_boxes}


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`."""
    node = Node(
        EMBED[task],
        inputs=["real_images", "synthetic_images", "params:features"],
        outputs="image_features",
        name="embed_images",
    )
    return Pipeline([node], namespace=task, tags="features")
