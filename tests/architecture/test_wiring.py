"""Properties of all pipelines, the catalog and the shipped environments together."""

from graphlib import TopologicalSorter
from pathlib import Path
from typing import get_type_hints

import pytest
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project
from kedro.io import AbstractVersionedDataset, DataCatalog, MemoryDataset

from diffaug_pipeline.export.options import Licences
from diffaug_pipeline.options import Options
from diffaug_pipeline.prompts.options import Vocabularies
from diffaug_pipeline.session import RunSession
from diffaug_pipeline.synthesis.options import Generators

ENVIRONMENTS = ("base", "smoke")
TASKS = ("classification", "detection")
STUDIES = ("scheduler_study", "strength_study")
STUDIES_OF_A_RUN = {
    f"{prefix}{study}"
    for prefix in ("", "classification_", "detection_")
    for study in ("dose_response", "export", "robustness")
}


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
    names = {f"{task}{part}" for task in TASKS for part in ("", "_data", "_controls")}
    names |= {"__default__", "pretraining", *STUDIES}
    assert names | STUDIES_OF_A_RUN == set(pipelines)
    for name in sorted(names):
        free = {dataset for dataset in pipelines[name].inputs() if not dataset.startswith("params:")}
        assert free - {"run_record"} == {dataset for dataset in free if is_optional(catalog, dataset)}, name


def test_studies_of_a_run_read_what_the_run_makes(catalog):
    for task in TASKS:
        made = pipelines[task].all_outputs() | {"run_record"}
        for study, result in (
            ("dose_response", "report"),
            ("export", "exported_dataset"),
            ("robustness", "report"),
        ):
            free = {name for name in pipelines[f"{task}_{study}"].inputs() if not name.startswith("params:")}
            assert {name for name in free if not is_optional(catalog, name)} <= made, study
            assert f"{task}.{result}" in pipelines[f"{task}_{study}"].all_outputs()


def is_optional(catalog: DataCatalog, name: str) -> bool:
    return catalog.get(name).is_optional


def test_layers_have_an_order(catalog):
    """Kedro-Viz shows no layers at all where they form a circle, be it by way of a collapsed task."""
    tasks = [
        pipelines[f"{task}{part}"]
        for task in TASKS
        for part in ("_controls", "_dose_response", "_export", "_robustness")
    ]
    collapsed = [(task.inputs(), task.outputs()) for task in tasks]
    after: dict[str, set[str]] = {}
    for inputs, outputs in collapsed + [(node.inputs, node.outputs) for task in tasks for node in task.nodes]:
        earlier, later = ({layer_of(catalog, dataset) for dataset in side} - {None} for side in (inputs, outputs))
        for layer in later:
            after.setdefault(layer, set()).update(earlier - {layer})
    order = list(TopologicalSorter(after).static_order())
    assert order[-3:] == ["training sets", "models", "reporting"]


def layer_of(catalog: DataCatalog, name: str) -> str | None:
    if name.startswith("params:"):
        return None
    return (catalog.get(name).metadata or {}).get("kedro-viz", {}).get("layer")


def test_hints_of_every_node_resolve(catalog):
    nodes = {node.func for pipeline in pipelines.values() for node in pipeline.nodes}
    assert len(nodes) > 15
    for function in nodes:
        assert get_type_hints(function), function.__name__


@pytest.mark.parametrize("task", TASKS)
def test_every_node_is_tagged_with_its_stage(catalog, task):
    for node in pipelines[f"{task}_controls"].nodes:
        assert len(node.tags) == 1, node.name
        assert node.name.startswith(f"{task}."), node.name


@pytest.mark.parametrize("task", TASKS)
def test_larger_pipelines_hold_the_smaller_ones(catalog, task):
    data, whole, controls = (
        {node.name for node in pipelines[f"{task}{part}"].nodes} for part in ("_data", "", "_controls")
    )
    assert data < whole < controls
    assert whole < {node.name for node in pipelines["__default__"].nodes}
    extra = {"copy_paste"} if task == "detection" else set()
    arms = {name.split(".")[1] for name in controls if name.count(".") == 2}
    assert arms == {"real_only", "augmented", "random_filtered", "synthetic_only"} | extra


def test_tasks_share_no_dataset_but_the_run_record(catalog):
    first, second = (
        {name for name in pipelines[f"{task}_controls"].datasets() if not name.startswith("params:")} for task in TASKS
    )
    assert first & second == {"run_record"}


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_takes_real_images_from_classification_and_keeps_to_itself(catalog, study):
    own = pipelines[study].only_nodes_with_namespaces([study])
    assert {name for name in own.inputs() if not name.startswith("params:")} == {
        "classification.real_images",
        "run_record",
    }
    assert all(name.startswith(f"{study}.") for name in own.all_outputs())
    assert f"{study}.report" in own.outputs()
    assert {tag for node in own.nodes for tag in node.tags} == {study}


def test_training_sets_descend_from_no_trained_arm_and_no_evaluation(catalog):
    for task in TASKS:
        pipeline = pipelines[f"{task}_controls"]
        made = pipeline.to_outputs(*(name for name in pipeline.datasets() if name.endswith(".training_set")))
        stages = {tag for node in made.nodes for tag in node.tags}
        before = {"ingestion", "references", "prompts", "synthesis", "labelling", "features", "auditing", "filtering"}
        assert stages <= before | {"merging"}


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_shipped_environments_validate(project, env):
    bootstrap_project(project)
    with RunSession.create(project_path=project, env=env) as session:
        catalog = session.load_context().catalog
        blocks = {name for pipeline in pipelines.values() for name in pipeline.inputs() if name.startswith("params:")}
        unread = [
            name
            for name in sorted(blocks)
            if not isinstance(catalog.load(name), Options | Vocabularies | Generators | Licences)
        ]
    assert len(blocks) > 20
    assert unread == []


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
