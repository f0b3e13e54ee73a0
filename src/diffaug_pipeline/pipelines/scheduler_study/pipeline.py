"""Class names, real images -> the same pictures with every scheduler, and which scheduler to use."""

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.scheduler_study.nodes import (
    draw_cells,
    plan_cells,
    render_study,
    score_images,
    summarize_cells,
    time_cells,
)
from diffaug_pipeline.pipelines.synthesis.pipeline import synthesis_node


def create_pipeline() -> Pipeline:
    """The study in its namespace; the dataset, its classes and their wording are those of the classification task."""
    return Pipeline(
        [
            Node(
                plan_cells,
                inputs=[
                    "real_images",
                    "params:study",
                    "params:prompts",
                    "params:synthesis",
                    "params:generators",
                    "params:vocabularies",
                ],
                outputs="synthesis_plan",
                name="plan_cells",
            ),
            synthesis_node(),
            Node(
                time_cells,
                inputs=["synthesis_plan", "real_images", "params:study", "params:synthesis", "params:generators"],
                outputs="timings",
                name="time_cells",
            ),
            Node(
                score_images,
                inputs=["synthetic_images", "real_images", "params:study", "params:judging", "params:synthesis"],
                outputs=["scores", "kernel_distances"],
                name="score_images",
            ),
            Node(
                summarize_cells,
                inputs=["scores", "kernel_distances", "params:study"],
                outputs="summary",
                name="summarize_cells",
            ),
            Node(
                draw_cells,
                inputs=["synthetic_images", "summary", "timings", "params:study"],
                outputs=["contact_sheet", "quality_figure"],
                name="draw_cells",
            ),
            Node(
                render_study,
                inputs=[
                    "synthesis_plan",
                    "scores",
                    "kernel_distances",
                    "summary",
                    "timings",
                    "contact_sheet",
                    "quality_figure",
                    "run_record",
                    "params:study",
                    "params:judging",
                    "params:synthesis",
                    "params:generators",
                ],
                outputs="report",
                name="render_study",
            ),
        ],
        namespace="scheduler_study",
        inputs={"real_images": "classification.real_images", "run_record": "run_record"},
        parameters={
            "params:prompts": "params:classification.prompts",
            "params:generators": "params:generators",
            "params:vocabularies": "params:vocabularies",
        },
        tags="scheduler_study",
    )
