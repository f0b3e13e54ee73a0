"""What a run has made before its training sets -> a curve over doses, the dose to use, and what it is worth."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.pipelines.dose_response.nodes import (
    choose_classifier_dose,
    choose_detector_dose,
    confirm_classifier_dose,
    confirm_detector_dose,
    detect_on_test_images,
    detect_on_validation_images,
    draw_dose_response,
    predict_test_images,
    predict_validation_images,
    train_classifiers,
    train_detectors,
)

NODES_OF_TASK: dict[str, tuple[Callable, Callable, Callable, Callable, Callable]] = {
    "classification": (
        train_classifiers,
        predict_validation_images,
        choose_classifier_dose,
        predict_test_images,
        confirm_classifier_dose,
    ),
    "detection": (
        train_detectors,
        detect_on_validation_images,
        choose_detector_dose,
        detect_on_test_images,
        confirm_detector_dose,
    ),
}
"""By task: training, validation images, choice, test images, confirmation."""


def create_pipeline(task: str) -> Pipeline:
    """The study in the namespace of its task."""
    train, predict, choose, predict_test, confirm = NODES_OF_TASK[task]
    truth = ["real_images"] if task == "detection" else []
    return Pipeline(
        [
            Node(
                train,
                inputs=[
                    "real_images",
                    "synthetic_images",
                    "filter_decisions",
                    "copies",
                    "params:dose_response",
                    "params:training",
                ],
                outputs="dose_checkpoints",
                name="train_doses",
            ),
            Node(
                predict,
                inputs=["dose_checkpoints", "real_images", "params:dose_response", "params:training"],
                outputs="dose_predictions",
                name="predict_doses",
            ),
            Node(
                choose,
                inputs=["dose_predictions", "real_images", "params:dose_response", "params:evaluation"],
                outputs="dose_choice",
                name="choose_dose",
            ),
            Node(
                predict_test,
                inputs=["dose_checkpoints", "dose_choice", "real_images", "params:training"],
                outputs="dose_test_predictions",
                name="predict_chosen_dose",
            ),
            Node(
                confirm,
                inputs=["dose_choice", "dose_test_predictions", *truth, "params:evaluation"],
                outputs="dose_response",
                name="confirm_dose",
            ),
            Node(draw_dose_response, inputs="dose_response", outputs="dose_figure", name="draw_dose_response"),
        ],
        namespace=task,
        tags="dose_response",
    )
