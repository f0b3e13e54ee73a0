import pytest
from kedro.framework.startup import bootstrap_project

from diffaug_pipeline.doctor.finding import examine
from diffaug_pipeline.doctor.task import TASKS, Task
from diffaug_pipeline.project import Project

SMOKE_BYTES = {"classification": 10 * 8 * 32 * 32 * 3, "detection": (10 * 3 * 32 * 32 + 12 * 96 * 96) * 3}
"""Ten classes; generated pictures of 32 x 32 pixels, scenes of 96 x 96."""


def task_with(project, folder, name: str, **changes) -> Task:
    bootstrap_project(project)
    opened = Project("smoke", runtime_params={"data_root": str(folder), name: changes})
    return Task(opened, name, "left alone", load=False)


def found(task: Task) -> dict[str, list]:
    findings: dict[str, list] = {}
    for subject, finding in examine(task.checks()):
        findings.setdefault(subject.removeprefix(f"{task.name} "), []).append(finding)
    return findings


@pytest.mark.parametrize("name", TASKS)
def test_what_is_shipped_has_no_problem_and_its_images_are_planned_for(project, tmp_path, name):
    task = task_with(project, tmp_path, name)
    findings = found(task)
    assert {"choices", "dataset", "generator", "engine", "scorer", "measure", "weights", "licences"} == set(findings)
    assert {finding.level for of_subject in findings.values() for finding in of_subject} == {"ok"}
    assert task._planned_bytes() == SMOKE_BYTES[name]
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_that_is_not_there_leaves_the_other_findings(project, tmp_path):
    findings = found(task_with(project, tmp_path, "classification", ingestion={"dataset": str(tmp_path / "gone")}))
    (finding,) = findings["dataset"]
    assert (finding.level, "does not exist" in finding.says) == ("problem", True)
    assert findings["scorer"][0].level == "ok"


def test_choices_that_do_not_fit_together_and_unknown_generators_are_problems(project, tmp_path):
    findings = found(task_with(project, tmp_path, "detection", synthesis={"generator": "sd16"}))
    for subject in ("choices", "generator", "engine"):
        assert [finding.level for finding in findings[subject]] == ["problem"], subject
        assert "there is no generator 'sd16'" in findings[subject][0].says


def test_detectors_and_the_labeller_count_among_the_licences(project, tmp_path):
    labelling = {"strategy": "pseudo_labelling", "pseudo_labelling": {"detector": "owner/detector"}}
    findings = found(task_with(project, tmp_path, "detection", labelling=labelling))
    assert findings["labeller"][0].says == "owner/detector is not on this machine"
    (finding,) = findings["licences"]
    assert "labeller unknown, detectors AGPL-3.0; of owner/detector nothing is known" in finding.says
