"""Choices that do not fit together stop a run before it starts."""

from pathlib import Path

import pytest
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog

from diffaug_pipeline import hooks
from diffaug_pipeline.errors import MissingPackageError, ParameterError
from diffaug_pipeline.session import RunSession


@pytest.fixture(autouse=True, scope="module")
def bootstrapped(project) -> None:
    bootstrap_project(project)


def catalog_with(project: Path, **parameters: dict) -> DataCatalog:
    with RunSession.create(project_path=project, env="smoke") as session:
        return session.load_context(runtime_params=parameters).catalog


@pytest.mark.parametrize("name", ["classification", "detection", "detection_controls", "__default__"])
def test_what_is_shipped_fits_together(project, name):
    hooks.check_choices(pipelines[name], catalog_with(project))


def test_a_loss_weight_is_refused_for_detectors_alone(project):
    weighted = {"merging": {"policy": "loss_weight"}}
    catalog = catalog_with(project, classification=weighted, detection=weighted)
    hooks.check_choices(pipelines["classification"], catalog)
    for name in ("detection", "detection_controls", "__default__"):
        with pytest.raises(ParameterError, match=r"Ultralytics' loss knows no weights; use replace or concatenate"):
            hooks.check_choices(pipelines[name], catalog)


def test_detection_without_ultralytics_is_refused_in_one_sentence(project, monkeypatch):
    monkeypatch.setattr(hooks, "find_spec", lambda name: None)
    catalog = catalog_with(project)
    hooks.check_choices(pipelines["classification"], catalog)
    for name in ("detection", "detection_data", "__default__"):
        with pytest.raises(
            MissingPackageError, match=r"pip install 'diffaug_pipeline\[detection\]', or run --pipelines"
        ):
            hooks.check_choices(pipelines[name], catalog)


@pytest.mark.parametrize("task", ["classification", "detection"])
@pytest.mark.parametrize(
    ("block", "value", "message"),
    [
        ("synthesis", {"generator": "sd16"}, "there is no generator 'sd16'; there are embedded, sd15"),
        ("prompts", {"vocabulary": "fancy"}, "there is no vocabulary 'fancy'"),
    ],
)
def test_names_that_do_not_exist_are_refused(project, task, block, value, message):
    catalog = catalog_with(project, **{task: {block: value}})
    with pytest.raises(ParameterError, match=message):
        hooks.check_choices(pipelines[task], catalog)
