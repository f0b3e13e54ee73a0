"""Checkpoints and clean predictions of all arms, real images -> performance on corrupted images, calibration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.robustness.nodes import (
    calibrate_classifiers,
    calibrate_detectors,
    draw_classifier_corruptions,
    draw_detector_corruptions,
    draw_figures,
    measure_classifiers,
    measure_detectors,
    summarize_classifiers,
    summarize_detectors,
)


@dataclass(frozen=True)
class _Functions:
    measure: Callable[..., Any]
    calibrate: Callable[..., Any]
    calibration_inputs: dict[str, str]
    summarize: Callable[..., Any]
    draw_corruptions: Callable[..., Any]


FUNCTIONS_OF_TASK = {
    "classification": _Functions(
        measure_classifiers,
        calibrate_classifiers,
        {"evaluation": "params:evaluation"},
        summarize_classifiers,
        draw_classifier_corruptions,
    ),
    "detection": _Functions(
        measure_detectors,
        calibrate_detectors,
        {"real_images": "real_images", "options": "params:robustness"},
        summarize_detectors,
        draw_detector_corruptions,
    ),
}


def create_pipeline(task: str, arms: Sequence[str]) -> Pipeline:
    """The study of the networks of `arms`, `real_only` and `augmented` among them."""
    functions = FUNCTIONS_OF_TASK[task]
    return sum((_measure(task, arm, functions) for arm in arms), Pipeline([])) + _summarize(task, arms, functions)


def _measure(task: str, arm: str, functions: _Functions) -> Pipeline:
    return Pipeline(
        [
            Node(
                functions.measure,
                inputs=["checkpoint", "real_images", "params:robustness", "params:training"],
                outputs="corrupted_metrics",
                name="measure_robustness",
            )
        ],
        namespace=f"{task}.{arm}",
        inputs={"real_images": f"{task}.real_images"},
        parameters={name: name.replace(":", f":{task}.") for name in ("params:robustness", "params:training")},
        tags="robustness",
    )


def _summarize(task: str, arms: Sequence[str], functions: _Functions) -> Pipeline:
    return Pipeline(
        [
            Node(
                functions.calibrate,
                inputs=functions.calibration_inputs | {arm: f"{arm}_predictions" for arm in arms},
                outputs="calibration",
                name="calibrate",
            ),
            Node(
                functions.summarize,
                inputs={
                    "calibration": "calibration",
                    "real_images": "real_images",
                    "options": "params:robustness",
                    "evaluation": "params:evaluation",
                    **{arm: f"{arm}_corrupted_metrics" for arm in arms},
                },
                outputs="robustness",
                name="summarize_robustness",
            ),
            Node(
                draw_figures,
                inputs="robustness",
                outputs=["robustness_figure", "reliability_figure"],
                name="draw_robustness",
            ),
            Node(
                functions.draw_corruptions,
                inputs=["real_images", "params:robustness", "params:training"],
                outputs="corruption_sheet",
                name="draw_corruptions",
            ),
        ],
        namespace=task,
        inputs={
            f"{arm}_{name}": f"{task}.{arm}.{name}" for arm in arms for name in ("predictions", "corrupted_metrics")
        },
        tags="robustness",
    )
