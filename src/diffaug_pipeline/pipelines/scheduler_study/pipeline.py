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
from diffaug_pipeline.pipelines.synthesis.nodes import synthesize_images

REAL_IMAGES, PROMPTS = "classification.real_images", "params:classification.prompts"


def create_pipeline() -> Pipeline:
    """The study in its namespace; the dataset, its classes and their wording are those of the classification task."""
    return Pipeline(
        [
            Node(
                plan_cells,
                inputs=[
                    REAL_IMAGES,
                    "params:study",
                    PROMPTS,
                    "params:synthesis",
                    "params:generators",
                    "params:vocabularies",
                ],
                outputs="synthesis_plan",
                name="plan_cells",
            ),
            Node(
                synthesize_images,
                inputs=["synthesis_plan", REAL_IMAGES, "params:synthesis", "params:generators"],
                outputs="synthetic_images",
                name="synthesize_images",
            ),
            Node(
                time_cells,
                inputs=["synthesis_plan", REAL_IMAGES, "params:study", "params:synthesis", "params:generators"],
                outputs="timings",
                name="time_cells",
            ),
            Node(
                score_images,
                inputs=["synthetic_images", REAL_IMAGES, "params:study", "params:judging", "params:synthesis"],
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
        inputs={REAL_IMAGES, "run_record"},
        parameters={PROMPTS, "params:generators", "params:vocabularies"},
        tags="scheduler_study",
    )
