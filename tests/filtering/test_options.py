import pytest
from filtering.filter_cases import filtering_options, scene_options
from pydantic import ValidationError


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (["blank", "clip_scor"], "'clip_score'"),
        (["blank", "undeclared_objects"], "Input should be"),
        (["blank", "clip_score", "blank"], "blank stands in the list more than once"),
        (["near_duplicates", "blank"], "near_duplicates has to be the last rule"),
    ],
)
def test_a_list_of_rules_that_makes_no_sense_is_refused(rules, message):
    with pytest.raises(ValidationError, match=message):
        filtering_options(rules=rules)


def test_scenes_have_rules_of_their_own():
    assert scene_options(rules=["undeclared_objects", "near_duplicates"]).rules == [
        "undeclared_objects",
        "near_duplicates",
    ]
    with pytest.raises(ValidationError, match="Input should be"):
        scene_options(rules=["task_model"])
    with pytest.raises(ValidationError, match="blank stands in the list more than once"):
        scene_options(rules=["blank", "blank"])


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        (filtering_options(rules=[]), False),
        (filtering_options(), False),
        (filtering_options(rules=["task_model"]), True),
        (scene_options(), False),
        (scene_options(rules=["detector_agreement"]), True),
        (scene_options(rules=["undeclared_objects"]), True),
    ],
)
def test_references_are_needed_where_a_rule_asks_them(options, needed):
    assert options.needs_references is needed


@pytest.mark.parametrize(
    ("selection", "ranks"),
    [({}, False), ({"cap_per_class": 3}, True), ({"policy": "top_k"}, True), ({"policy": "top_share"}, True)],
)
def test_scores_matter_to_every_selection_but_that_of_all(selection, ranks):
    assert filtering_options(selection=selection).selection.ranks is ranks
    for_scenes = {"cap" if name == "cap_per_class" else name: value for name, value in selection.items()}
    assert scene_options(selection=for_scenes).selection.ranks is ranks
