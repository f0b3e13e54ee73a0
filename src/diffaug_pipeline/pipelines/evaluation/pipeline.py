"""`<arm>.predictions` of all arms -> metrics, comparison, figures, report."""

from collections.abc import Callable, Sequence

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.evaluation.nodes import (
    compare_classifiers,
    compare_detectors,
    draw_figures,
    predict_zero_shot,
    render_classification_report,
    render_detection_report,
    summarize_classifiers,
    summarize_detectors,
)

FIGURES = ["arms_figure", "per_class_figure", "learning_curves_figure"]
STUDIES = ["dose_response", "robustness", "corruption_sheet"]
"""Made by pipelines of their own; the report does without those a run does not have."""
REPORTED = [
    "comparison",
    "metrics",
    *FIGURES,
    "real_images",
    "synthetic_images",
    "filter_decisions",
    "filter_calibration",
    "copies",
    "copy_calibration",
    "measures_summary",
    *STUDIES,
    "ingestion_report",
    "run_record",
    "params:evaluation",
    "params:synthesis",
    "params:generators",
]


def create_pipeline(task: str, arms: Sequence[str]) -> Pipeline:
    """The stage in the namespace of its task, over `arms`, `real_only` and `augmented` among them."""
    histories = {arm: f"{arm}_history" for arm in arms}
    judged = Pipeline(
        [
            *NODES_OF_TASK[task]({arm: f"{arm}_predictions" for arm in arms}),
            Node(draw_figures, inputs={"comparison": "comparison", **histories}, outputs=FIGURES, name="draw_figures"),
        ],
        namespace=task,
        inputs={f"{arm}_{name}": f"{task}.{arm}.{name}" for arm in arms for name in ("predictions", "history")},
        tags="evaluation",
    )
    return judged + render_report(task)


def render_report(task: str) -> Pipeline:
    """The page alone, from all that a run has made; studies of a run end with it."""
    function, more_inputs = REPORTS[task]
    arms = [name.removesuffix("_predictions") for name in more_inputs if name.endswith("_predictions")]
    predictions = {f"{arm}_predictions": f"{task}.{arm}.predictions" for arm in arms}
    return Pipeline(
        [Node(function, inputs=[*REPORTED, *more_inputs], outputs="report", name="render_report")],
        namespace=task,
        inputs={"run_record": "run_record", **predictions},
        parameters={"params:generators"},
        tags="evaluation",
    )


def _classification(predictions: dict[str, str]) -> list[Node]:
    return [
        Node(
            predict_zero_shot,
            inputs=["real_images", "image_features"],
            outputs="zero_shot_predictions",
            name="predict_zero_shot",
        ),
        Node(
            summarize_classifiers,
            inputs={"options": "params:evaluation", **predictions},
            outputs="metrics",
            name="summarize_arms",
        ),
        Node(
            compare_classifiers,
            inputs={
                "zero_shot_predictions": "zero_shot_predictions",
                "options": "params:evaluation",
                **predictions,
            },
            outputs="comparison",
            name="compare_arms",
        ),
    ]


def _detection(predictions: dict[str, str]) -> list[Node]:
    return [
        Node(
            summarize_detectors,
            inputs={"real_images": "real_images", **predictions},
            outputs="metrics",
            name="summarize_arms",
        ),
        Node(
            compare_detectors,
            inputs={"real_images": "real_images", "options": "params:evaluation", **predictions},
            outputs="comparison",
            name="compare_arms",
        ),
    ]


NODES_OF_TASK: dict[str, Callable[[dict[str, str]], list[Node]]] = {
    "classification": _classification,
    "detection": _detection,
}
"""By task: the nodes that differ, from the names of the predictions by arm."""
REPORTS = {
    "classification": (render_classification_report, []),
    "detection": (
        render_detection_report,
        ["params:labelling", "params:training", "real_only_predictions", "augmented_predictions"],
    ),
}
"""By task: what renders the page, and what it shows beside `REPORTED`."""
