"""Choices that do not fit together stop a run before it starts."""

from pathlib import Path

import pytest
from dose_response import dose_cases
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from robustness import robustness_cases

from diffaug_pipeline import hooks
from diffaug_pipeline.datasets import ParquetDataset
from diffaug_pipeline.errors import MissingPackageError, ModelFolderError, ParameterError
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
        with pytest.raises(ParameterError, match=r"Ultralytics' loss knows no weights; use another policy"):
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


@pytest.mark.parametrize("name", ["classification_data", "detection", "scheduler_study", "strength_study"])
def test_a_generator_that_is_not_there_is_refused_before_any_work(project, name, tmp_path, monkeypatch):
    gone = {"embedded": {"model": str(tmp_path / "gone")}}
    catalog = catalog_with(project, generators=gone, data_root=str(tmp_path / "data"))
    with pytest.raises(ModelFolderError, match=r"gone does not exist; name a folder or a hub id"):
        hooks.check_generators(pipelines[name], catalog, "mine")
    assert not (tmp_path / "data").exists()
    monkeypatch.setattr(ParquetDataset, "has_version", lambda *_: True)
    hooks.check_generators(pipelines[name], catalog, "mine")


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
        hooks.check_generators(pipelines["detection"], catalog, "mine")


def test_a_run_ends_with_what_its_studies_found(tmp_path, capsys):
    found = {
        "detection.dose_response": dose_cases.document(tmp_path),
        "detection.robustness": robustness_cases.document("map_50_95"),
    }
    study = Pipeline([Node(lambda: None, inputs=None, outputs=[*found, "detection.dose_figure"], name="study")])
    catalog = DataCatalog({name: MemoryDataset(document) for name, document in found.items()})
    hooks.RunSummary().after_pipeline_run({"run_id": "r1"}, study, catalog)
    printed = capsys.readouterr().out.splitlines()
    assert printed[1] == "run r1"
    assert printed[2].startswith("detection: Use 0.5 synthetic images per real one, 33% of every batch: +")
    assert printed[3].startswith("detection: Under 2 corruptions mAP50-95 is on average 54.0 % for real_only")
