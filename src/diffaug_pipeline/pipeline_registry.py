"""Every pipeline by name: the map of the project.

ingestion -> references -> prompts -> synthesis -> features -> auditing -> filtering -> measures
                                                                        filtering -> merging -> training -> evaluation

Merging and training are per arm. Detection has labelling after synthesis: it turns what was generated into scenes with
boxes. References are models trained on real images alone, for the filter and the budget; none where nobody asks.
"""

import warnings
from collections.abc import Sequence

from kedro.pipeline import Pipeline

from diffaug_pipeline.pipelines.auditing.pipeline import create_pipeline as auditing
from diffaug_pipeline.pipelines.classification.pipeline import create_pipeline as train_classifiers
from diffaug_pipeline.pipelines.detection.pipeline import create_pipeline as train_detectors
from diffaug_pipeline.pipelines.dose_response.pipeline import create_pipeline as study_doses
from diffaug_pipeline.pipelines.evaluation.pipeline import create_pipeline as evaluation
from diffaug_pipeline.pipelines.evaluation.pipeline import render_report
from diffaug_pipeline.pipelines.export.pipeline import create_pipeline as export
from diffaug_pipeline.pipelines.features.pipeline import create_pipeline as features
from diffaug_pipeline.pipelines.filtering.pipeline import create_pipeline as filtering
from diffaug_pipeline.pipelines.ingestion.pipeline import create_pipeline as ingestion
from diffaug_pipeline.pipelines.labelling.pipeline import create_pipeline as labelling
from diffaug_pipeline.pipelines.measures.pipeline import create_pipeline as measures
from diffaug_pipeline.pipelines.merging.pipeline import create_pipeline as merging
from diffaug_pipeline.pipelines.pretraining.pipeline import create_pipeline as pretraining
from diffaug_pipeline.pipelines.prompts.pipeline import create_pipeline as prompts
from diffaug_pipeline.pipelines.references.pipeline import create_pipeline as references
from diffaug_pipeline.pipelines.robustness.pipeline import create_pipeline as study_robustness
from diffaug_pipeline.pipelines.scheduler_study.pipeline import create_pipeline as study_schedulers
from diffaug_pipeline.pipelines.strength_study.pipeline import create_pipeline as study_strengths
from diffaug_pipeline.pipelines.synthesis.pipeline import create_pipeline as synthesis

ARMS = ("real_only", "augmented")
CONTROLS = ("random_filtered", "synthetic_only")
DETECTION_CONTROLS = ("copy_paste", *CONTROLS)


def register_pipelines() -> dict[str, Pipeline]:
    """What `kedro run --pipelines` accepts."""
    # Kedro would have every dataset named in its own namespace; the studies read the images of classification.
    warnings.filterwarnings("ignore", message="One or more dataset names contain", category=UserWarning)
    pipelines = {
        "classification": classification(ARMS),
        "classification_data": classification_data(ARMS),
        "classification_controls": classification(ARMS + CONTROLS),
        "classification_dose_response": dose_response("classification"),
        "classification_export": export("classification"),
        "classification_robustness": robustness("classification"),
        "detection": detection(ARMS),
        "detection_data": detection_data(ARMS),
        "detection_controls": detection(ARMS + DETECTION_CONTROLS),
        "detection_dose_response": dose_response("detection"),
        "detection_export": export("detection"),
        "detection_robustness": robustness("detection"),
        "pretraining": pretraining(),
        "scheduler_study": scheduler_study(),
        "strength_study": strength_study(),
    }
    return pipelines | {
        "__default__": pipelines["classification"] + pipelines["detection"],
        "dose_response": pipelines["classification_dose_response"] + pipelines["detection_dose_response"],
        "export": pipelines["classification_export"] + pipelines["detection_export"],
        "robustness": pipelines["classification_robustness"] + pipelines["detection_robustness"],
    }


def classification(arms: Sequence[str]) -> Pipeline:
    """From labelled pictures to the verdict on ResNets."""
    task = "classification"
    return classification_data(arms) + train_classifiers(task, arms) + evaluation(task, arms)


def classification_data(arms: Sequence[str]) -> Pipeline:
    """From labelled pictures to the training set of each arm."""
    task = "classification"
    generated = ingestion(task) + references(task) + prompts(task) + synthesis(task)
    return generated + judged(task, arms) + merging(task, arms)


def detection(arms: Sequence[str]) -> Pipeline:
    """From pictures with boxes to the verdict on YOLOs."""
    task = "detection"
    return detection_data(arms) + train_detectors(task, arms) + evaluation(task, arms)


def detection_data(arms: Sequence[str]) -> Pipeline:
    """From pictures with boxes to the training set of each arm."""
    task = "detection"
    generated = ingestion(task) + references(task) + prompts(task) + synthesis(task) + labelling(task, arms)
    return generated + judged(task, arms) + merging(task, arms)


def judged(task: str, arms: Sequence[str]) -> Pipeline:
    """From synthetic images to which of them may be trained on, and how close to real ones they are."""
    return features(task) + auditing(task, arms) + filtering(task) + measures(task)


def dose_response(task: str) -> Pipeline:
    """From the images of a run to how much of them to use; the run's report shows it."""
    return study_doses(task) + render_report(task)


def robustness(task: str) -> Pipeline:
    """From the networks of a run to what corruptions do to them; the run's report shows it."""
    return study_robustness(task, ARMS) + render_report(task)


def scheduler_study() -> Pipeline:
    """From labelled pictures to the scheduler and the steps that suit the generator."""
    return ingestion("classification") + study_schedulers()


def strength_study() -> Pipeline:
    """From labelled pictures to the strengths of image-to-image that suit them."""
    return ingestion("classification") + study_strengths()
