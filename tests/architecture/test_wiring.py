"""Properties of all pipelines, the catalog and the shipped environments together."""

from pathlib import Path
from typing import get_type_hints

import pytest
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project
from kedro.io import AbstractVersionedDataset, DataCatalog, MemoryDataset

from diffaug_pipeline.session import RunSession

ENVIRONMENTS = ("base", "smoke")


@pytest.fixture(scope="module")
def catalog(project: Path) -> DataCatalog:
    bootstrap_project(project)
    with RunSession.create(project_path=project, env="smoke") as session:
        return session.load_context().catalog


def all_datasets() -> set[str]:
    return {
        name
        for pipeline in pipelines.values()
        for name in pipeline.datasets()
        if not name.startswith("params:") and name != "parameters"
    }


def test_every_dataset_is_persistent_and_versioned(catalog):
    names = all_datasets()
    assert len(names) > 30
    for name in sorted(names):
        assert name in catalog, f"{name} is in no catalog entry"
        dataset = catalog.get(name)
        assert not isinstance(dataset, MemoryDataset), name
        assert isinstance(dataset, AbstractVersionedDataset), name
        assert dataset._version is not None, f"{name} is not versioned"


def test_every_dataset_has_a_place_of_its_own(catalog):
    places = [str(catalog.get(name)._filepath) for name in sorted(all_datasets())]
    assert len(set(places)) == len(places)
    layers = {
        f"0{number}_{name}"
        for number, name in enumerate(
            ("raw", "intermediate", "primary", "synthetic", "filtered", "training_sets", "models", "reporting"), start=1
        )
    }
    assert all(set(Path(place).parts) & layers for place in places)


def test_nothing_is_read_that_nothing_makes(catalog):
    for name in ("__default__", "classification", "classification_data", "classification_controls", "pretraining"):
        free = {dataset for dataset in pipelines[name].inputs() if not dataset.startswith("params:")}
        assert free <= {"run_record"}, name


def test_hints_of_every_node_resolve(catalog):
    nodes = {node.func for pipeline in pipelines.values() for node in pipeline.nodes}
    assert len(nodes) > 15
    for function in nodes:
        assert get_type_hints(function), function.__name__


def test_every_node_is_tagged_with_its_stage(catalog):
    for node in pipelines["classification_controls"].nodes:
        assert len(node.tags) == 1, node.name
        assert node.name.startswith("classification."), node.name


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_shipped_environments_validate(project, env):
    bootstrap_project(project)
    with RunSession.create(project_path=project, env=env) as session:
        context = session.load_context()
        options = context.catalog.load("params:classification.synthesis")
    assert type(options).__name__ == "SynthesisOptions"


def test_smoke_changes_values_but_adds_none(project):
    bootstrap_project(project)
    keys = {}
    for env in ENVIRONMENTS:
        with RunSession.create(project_path=project, env=env) as session:
            keys[env] = set(_leaves(session.load_context().config_loader["parameters"]))
    assert keys["smoke"] == keys["base"]


def _leaves(block: dict, prefix: str = "") -> list[str]:
    return [
        leaf
        for key, value in block.items()
        for leaf in (_leaves(value, f"{prefix}{key}.") if isinstance(value, dict) and value else [f"{prefix}{key}"])
    ]
