import pytest
from kedro.framework.startup import bootstrap_project

from diffaug_pipeline.doctor.examination import OF_THE_MACHINE, examine_all, show
from diffaug_pipeline.doctor.finding import Finding
from diffaug_pipeline.project import Project


def test_the_shipped_project_passes_and_nothing_is_written(project, tmp_path):
    bootstrap_project(project)

    def open_project() -> Project:
        return Project("smoke", runtime_params={"data_root": str(tmp_path)})

    found = list(examine_all(open_project, ["classification"], "left alone", load=False))
    assert [(subject, finding) for subject, finding in found if finding.level == "problem"] == []
    subjects = [subject for subject, _ in found]
    assert {"data folder", "staging", "runs", "clock", "telemetry", "classification dataset"} < set(subjects)
    assert subjects[0] == "Python"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("env", "subject"), [("smoke", "parameters"), ("no such", "project")])
def test_a_project_that_does_not_open_is_a_problem_after_the_findings_on_the_machine(project, env, subject):
    bootstrap_project(project)
    wrong = {"classification": {"synthesis": {"eta": 7}}}
    found = list(examine_all(lambda: Project(env, runtime_params=wrong), ["detection"], "left alone", load=False))
    assert list(OF_THE_MACHINE) == list(dict.fromkeys(subject for subject, _ in found[:-1]))
    assert (found[-1][0], found[-1][1].level) == (subject, "problem")


def test_long_findings_are_folded():
    lines = show("memory", Finding("advice", "word " * 40 + "end", "do " * 50))
    assert max(map(len, lines)) <= 100
    assert all(line.startswith("         ") for line in lines[1:])
    assert sum("->" in line for line in lines) == 1
