"""Every pipeline by name: the map of the project.

ingestion -> prompts -> synthesis -> filtering -> merging -> training (per arm) -> evaluation
"""

from collections.abc import Sequence

from kedro.pipeline import Pipeline

from diffaug_pipeline.pipelines.classification.pipeline import create_pipeline as training
from diffaug_pipeline.pipelines.evaluation.pipeline import create_pipeline as evaluation
from diffaug_pipeline.pipelines.filtering.pipeline import create_pipeline as filtering
from diffaug_pipeline.pipelines.ingestion.pipeline import create_pipeline as ingestion
from diffaug_pipeline.pipelines.merging.pipeline import create_pipeline as merging
from diffaug_pipeline.pipelines.pretraining.pipeline import create_pipeline as pretraining
from diffaug_pipeline.pipelines.prompts.pipeline import create_pipeline as prompts
from diffaug_pipeline.pipelines.synthesis.pipeline import create_pipeline as synthesis

ARMS = ("real_only", "augmented")
CONTROLS = ("random_filtered", "synthetic_only")


def register_pipelines() -> dict[str, Pipeline]:
    """What `kedro run --pipelines` accepts."""
    pipelines = {
        "classification": classification(ARMS),
        "classification_data": data("classification", ARMS),
        "classification_controls": classification(ARMS + CONTROLS),
        "pretraining": pretraining(),
    }
    return pipelines | {"__default__": pipelines["classification"]}


def classification(arms: Sequence[str]) -> Pipeline:
    """From the raw dataset to the verdict on ResNets."""
    return data("classification", arms) + training("classification", arms) + evaluation("classification", arms)


def data(task: str, arms: Sequence[str]) -> Pipeline:
    """From the raw dataset to the training set of each arm."""
    return ingestion(task) + prompts(task) + synthesis(task) + filtering(task) + merging(task, arms)
