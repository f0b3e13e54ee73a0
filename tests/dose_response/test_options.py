import pytest
from dose_response.dose_cases import loop_options, study_options
from pydantic import ValidationError

from diffaug_pipeline.errors import ParameterError

TRAINING = loop_options(steps=100, warmup_steps=20, evaluations=5, seeds=[0, 1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ratios": [0.5, 1.0]}, "ratios must ascend from 0"),
        ({"ratios": [0.0, 1.0, 0.5]}, "ratios must ascend from 0"),
        ({"ratios": [0.0, 1.0, 1.0]}, "each named once"),
        ({"ratios": [0.0]}, "at least 2 items"),
        ({"real_shares": [0.5, 1.0]}, "above 0 and below 1"),
        ({"real_shares": [0.0, 0.5]}, "above 0 and below 1"),
        ({"real_shares": [0.5, 0.25]}, "real_shares must ascend"),
        ({"max_growth": 1}, "greater than 1"),
    ],
)
def test_impossible_values_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        study_options(**changes)


def test_trainings_are_those_of_the_task_unless_the_study_says_otherwise():
    assert study_options().adapt(TRAINING) == TRAINING
    shorter = study_options(steps=40, seeds=[7]).adapt(TRAINING)
    assert shorter == TRAINING.model_copy(update={"steps": 40, "seeds": [7], "warmup_steps": 10})


def test_fewer_steps_than_evaluations_are_refused():
    with pytest.raises(ParameterError, match=r"dose_response\.steps is 4, fewer than the 5 of training\.evaluations"):
        study_options(steps=4).adapt(TRAINING)
