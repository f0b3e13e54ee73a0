"""Raw dataset -> real images, ingestion report."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.ingestion.nodes import ingest_images


def create_pipeline(task: str) -> Pipeline:
    """The stage in the namespace of `task`."""
    return Pipeline(
        [
            Node(
                ingest_images,
                inputs="params:ingestion",
                outputs=["real_images", "ingestion_report"],
                name="ingest_images",
            )
        ],
        namespace=task,
        tags="ingestion",
    )
