import pytest
from pydantic import ValidationError
from robustness.robustness_cases import detection_robustness_options, robustness_options


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"corruptions": ["rain"]}, "Input should be 'gaussian_noise'"),
        ({"corruptions": ["fog", "fog"]}, "every one may be named once only"),
        ({"corruptions": []}, "at least 1 item"),
        ({"severities": [1, 6]}, "less than or equal to 5"),
        ({"severities": [0]}, "greater than or equal to 1"),
        ({"severities": [3, 3]}, "every one may be named once only"),
    ],
)
def test_impossible_values_are_refused(changes, words):
    with pytest.raises(ValidationError, match=words):
        robustness_options(**changes)


@pytest.mark.parametrize("corruption", ["zoom_blur", "elastic_transform"])
def test_what_moves_objects_is_not_for_detection(corruption):
    assert robustness_options(corruptions=[corruption]).corruptions == [corruption]
    with pytest.raises(ValidationError, match="Input should be 'gaussian_noise'"):
        detection_robustness_options(corruptions=[corruption])
