"""Real training images -> what each strength of image-to-image makes of them, and which strengths to use."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.strength_study.nodes import (
    draw_strengths,
    measure_images,
    plan_strengths,
    render_strengths,
    summarize_strengths,
)
from diffaug_pipeline.pipelines.synthesis.pipeline import synthesis_node


def create_pipeline() -> Pipeline:
    """The study in its namespace; the dataset, its classes and their wording are those of the classification task."""
    return Pipeline(
        [
            Node(
                plan_strengths,
                inputs=[
                    "real_images",
                    "params:study",
                    "params:judging",
                    "params:prompts",
                    "params:synthesis",
                    "params:generators",
                    "params:vocabularies",
                ],
                outputs="synthesis_plan",
                name="plan_strengths",
            ),
            synthesis_node(),
            Node(
                measure_images,
                inputs=["synthetic_images", "real_images", "params:judging"],
                outputs="measures",
                name="measure_images",
            ),
            Node(
                summarize_strengths,
                inputs=["measures", "synthetic_images", "params:study", "params:ingestion"],
                outputs=["summary", "recommendation"],
                name="summarize_strengths",
            ),
            Node(
                draw_strengths,
                inputs=["summary", "recommendation", "measures", "synthetic_images", "real_images", "params:study"],
                outputs=["strength_figure", "contact_sheet"],
                name="draw_strengths",
            ),
            Node(
                render_strengths,
                inputs=[
                    "summary",
                    "recommendation",
                    "measures",
                    "strength_figure",
                    "contact_sheet",
                    "run_record",
                    "params:study",
                    "params:ingestion",
                    "params:synthesis",
                    "params:generators",
                ],
                outputs="report",
                name="render_strengths",
            ),
        ],
        namespace="strength_study",
        inputs={"real_images": "classification.real_images", "run_record": "run_record"},
        parameters={
            "params:ingestion": "params:classification.ingestion",
            "params:prompts": "params:classification.prompts",
            "params:generators": "params:generators",
            "params:vocabularies": "params:vocabularies",
        },
        tags="strength_study",
    )
