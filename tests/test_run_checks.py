"""Choices that do not fit together stop a run before it starts."""

from pathlib import Path

import pytest
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog

from diffaug_pipeline import run_checks
from diffaug_pipeline.datasets import ParquetDataset
from diffaug_pipeline.errors import MissingPackageError, ModelFolderError, ParameterError
from diffaug_pipeline.session import RunSession


@pytest.fixture(autouse=True, scope="module")
def bootstrapped(project) -> None:
    bootstrap_project(project)


UNSAFE_PSEUDO_LABELLING = {
    "labelling": {"strategy": "pseudo_labelling"},
    "filtering": {"rules": ["leakage", "blank", "clip_score"]},
}


def catalog_with(project: Path, **parameters: dict) -> DataCatalog:
    with RunSession.create(project_path=project, env="smoke") as session:
        return session.load_context(runtime_params=parameters).catalog


@pytest.mark.parametrize("name", ["classification", "detection", "detection_controls", "__default__"])
def test_what_is_shipped_fits_together(project, name):
    run_checks.check_choices(pipelines[name], catalog_with(project))


def test_a_loss_weight_is_refused_for_detectors_alone(project):
    weighted = {"merging": {"policy": "loss_weight"}}
    catalog = catalog_with(project, classification=weighted, detection=weighted)
    run_checks.check_choices(pipelines["classification"], catalog)
    for name in ("detection", "detection_controls", "__default__"):
        with pytest.raises(ParameterError, match=r"Ultralytics' loss knows no weights; use another policy"):
            run_checks.check_choices(pipelines[name], catalog)


def test_detection_without_ultralytics_is_refused_in_one_sentence(project, monkeypatch):
    monkeypatch.setattr(run_checks, "find_spec", lambda name: None)
    catalog = catalog_with(project)
    run_checks.check_choices(pipelines["classification"], catalog)
    for name in ("detection", "detection_data", "__default__"):
        with pytest.raises(
            MissingPackageError, match=r"pip install 'diffaug_pipeline\[detection\]', or run --pipelines"
        ):
            run_checks.check_choices(pipelines[name], catalog)


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
        run_checks.check_choices(pipelines[task], catalog)


@pytest.mark.parametrize("name", ["classification_data", "detection", "scheduler_study", "strength_study"])
def test_a_generator_that_is_not_there_is_refused_before_any_work(project, name, tmp_path, monkeypatch):
    gone = {"embedded": {"model": str(tmp_path / "gone")}}
    catalog = catalog_with(project, generators=gone, data_root=str(tmp_path / "data"))
    with pytest.raises(ModelFolderError, match=r"gone does not exist; name a folder or a hub id"):
        run_checks.check_generators(pipelines[name], catalog, "mine")
    assert not (tmp_path / "data").exists()
    monkeypatch.setattr(ParquetDataset, "has_version", lambda *_: True)
    run_checks.check_generators(pipelines[name], catalog, "mine")


def test_a_generator_that_cannot_do_what_the_strategy_needs_is_refused(project, tmp_path):
    """Detection leaves the mode to the label strategy."""
    (tmp_path / "model_index.json").write_text('{"_class_name": "SanaPipeline"}')
    (tmp_path / "vae.safetensors").write_bytes((8).to_bytes(8, "little") + b"{}      ")
    catalog = catalog_with(
        project,
        generators={"embedded": {"model": str(tmp_path)}},
        detection={"labelling": {"strategy": "background_inpainting"}},
        data_root=str(tmp_path / "data"),
    )
    with pytest.raises(ParameterError, match="SanaPipeline offer no inpainting"):
        run_checks.check_generators(pipelines["detection"], catalog, "mine")


def test_all_choices_that_do_not_fit_together_are_named_at_once(project):
    catalog = catalog_with(
        project,
        classification={"synthesis": {"generator": "sd16"}},
        detection={**UNSAFE_PSEUDO_LABELLING, "merging": {"policy": "loss_weight"}},
    )
    with pytest.raises(ParameterError) as error:
        run_checks.check_choices(pipelines["__default__"], catalog)
    message = str(error.value)
    assert message.startswith("3 choices cannot be followed:")
    for words in ("there is no generator 'sd16'", "add undeclared_objects", "loss knows no weights"):
        assert message.count(words) == 1
