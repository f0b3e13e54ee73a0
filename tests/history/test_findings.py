import pytest
from dose_response import dose_cases
from history.history_cases import comparison
from robustness import robustness_cases

from diffaug_pipeline.history.findings import describe_study, describe_verdict
from diffaug_pipeline.history.runs import Verdict


@pytest.mark.parametrize(("accuracy", "word"), [(0.9, "HELPED"), (0.5, "HURT"), (0.7, "INCONCLUSIVE")])
def test_a_verdict_says_what_it_is_about(accuracy, word):
    sentence = describe_verdict(Verdict.of(comparison(accuracy)))
    assert sentence.startswith(f"{word}: ")
    assert "top-1 accuracy on 400 test images: real_only " in sentence
    assert sentence.count(" % [") == 2


def test_studies_say_what_they_found(tmp_path):
    dose = describe_study("dose_response", dose_cases.document(tmp_path))
    assert dose.startswith("Use ")
    assert "Worth " in dose
    robust = describe_study("robustness", robustness_cases.document(better_by=0.1))
    assert "synthetic images help there" in robust
    assert "confidence and accuracy are" in robust
