"""`<arm>.predictions` of all arms -> metrics, comparison, figures, report."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.evaluation.nodes import (
    compare_arms,
    draw_figures,
    predict_zero_shot,
    render_report,
    summarize_arms,
)


def create_pipeline(task: str, arms: Sequence[str]) -> Pipeline:
    """The stage in the namespace of its task, over `arms`, `real_only` and `augmented` among them."""
    predictions = {arm: f"{arm}_predictions" for arm in arms}
    histories = {arm: f"{arm}_history" for arm in arms}
    figures = ["arms_figure", "per_class_figure", "learning_curves_figure"]
    shown = ["comparison", "metrics", *figures, "real_images", "synthetic_images"]
    background = ["filter_decisions", "filter_calibration", "ingestion_report", "run_record"]
    return Pipeline(
        [
            Node(
                predict_zero_shot,
                inputs=["real_images", "params:filtering"],
                outputs="zero_shot_predictions",
                name="predict_zero_shot",
            ),
            Node(
                summarize_arms,
                inputs={"options": "params:evaluation", **predictions},
                outputs="metrics",
                name="summarize_arms",
            ),
            Node(
                compare_arms,
                inputs={
                    "zero_shot_predictions": "zero_shot_predictions",
                    "options": "params:evaluation",
                    **predictions,
                },
                outputs="comparison",
                name="compare_arms",
            ),
            Node(draw_figures, inputs={"comparison": "comparison", **histories}, outputs=figures, name="draw_figures"),
            Node(
                render_report,
                inputs=[*shown, *background, "params:evaluation", "params:synthesis", "params:generators"],
                outputs="report",
                name="render_report",
            ),
        ],
        namespace=task,
        inputs={"run_record": "run_record"}
        | {f"{arm}_{name}": f"{task}.{arm}.{name}" for arm in arms for name in ("predictions", "history")},
        parameters={"params:generators"},
        tags="evaluation",
    )
