import pytest
from factories import noise_image
from playground_cases import request

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.playground.comparison import compare_schedulers, compare_strengths
from diffaug_pipeline.playground.request import read_source


@pytest.fixture
def from_source(tmp_path):
    noise_image(0).save(tmp_path / "source.png")
    return request("tiny", mode="image_to_image", sources=read_source(tmp_path / "source.png", 1))


def test_one_request_for_each_way(from_source):
    ways = compare_schedulers(from_source, ["heun", "ddim"])
    assert [way.synthesis.scheduler for way in ways] == ["heun", "ddim"]
    assert [way.synthesis.strength for way in compare_strengths(from_source, "0.2, .4,1,")] == [0.2, 0.4, 1.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.2", "needs two strengths or more"),
        ("", "needs two strengths or more"),
        ("low, high", "the strengths are 'low, high'; write numbers"),
        ("0.2, 7", "strength is 7.0: every strength must be above 0 and at most 1"),
    ],
)
def test_strengths_that_are_none_are_one_sentence(from_source, text, message):
    with pytest.raises(ParameterError, match=message):
        compare_strengths(from_source, text)


def test_what_cannot_be_compared_is_one_sentence():
    with pytest.raises(ParameterError, match="text_to_image has no strength"):
        compare_strengths(request("tiny"), "0.2, 0.4")
    with pytest.raises(ParameterError, match="two schedulers or more"):
        compare_schedulers(request("tiny"), ["ddim"])
