"""Raw dataset -> real images, ingestion report."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.ingestion.nodes import ingest_annotated_images, ingest_images

NODES = {"classification": ingest_images, "detection": ingest_annotated_images}


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`."""
    function = NODES[task]
    return Pipeline(
        [
            Node(
                function,
                inputs="params:ingestion",
                outputs=["real_images", "ingestion_report"],
                name=function.__name__,
            )
        ],
        namespace=task,
        tags="ingestion",
    )
