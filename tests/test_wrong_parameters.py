import pytest
from kedro.framework.startup import bootstrap_project
from kedro.validation.exceptions import ParameterValidationError

from diffaug_pipeline.project import Project
from diffaug_pipeline.wrong_parameters import describe_wrong_parameters


def test_every_wrong_value_is_told_with_where_and_why(project):
    bootstrap_project(project)
    changes = {
        "classification": {"synthesis": {"eta": 7, "scheduler": "dpm"}, "training": {"steps": 0}},
        "detection": {"training": {"warmup_steps": 10_000}, "merging": {"probabilty": 0.5}},
    }
    with pytest.raises(ParameterValidationError) as raised:
        Project("base", runtime_params=changes)
    said = describe_wrong_parameters(raised.value)
    expected = {
        "classification.synthesis.eta: Input should be less than or equal to 1; it is 7",
        "classification.training.steps: Input should be greater than or equal to 1; it is 0",
        "detection.training: warmup_steps (10000) must be less than steps (720)",
        "detection.merging.probabilty: Extra inputs are not permitted; it is 0.5",
    }
    assert len(said) == 5
    assert {one for one in said if not one.startswith("classification.synthesis.scheduler: ")} == expected


def test_what_is_not_told_as_usual_is_told_as_it_is():
    error = ParameterValidationError("Parameter validation failed:\n- everything is wrong")
    assert describe_wrong_parameters(error) == ["everything is wrong"]
