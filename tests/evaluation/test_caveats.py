from typing import get_args

import pytest
from factories import generator_preset, labelling_options, synthesis_options

from diffaug_pipeline.evaluation.caveats import (
    STRATEGY_DESCRIPTIONS,
    find_detection_notes,
    find_detection_warnings,
    find_notes,
)
from diffaug_pipeline.labelling.options import StrategyName

GARMENTS = generator_preset("embedded:generator")
CALIBRATION = {
    "switched_off": None,
    "per_class": {"dress": {"boxes": 4, "accepted": 4}, "red panda": {"boxes": 4, "accepted": 0}},
}
INGESTION_REPORT = {"near_duplicates_across_splits": {"groups": 0, "examples": []}}
ONE_ATTEMPT = {
    "attempts": [
        {
            "code": {"commit": "a", "changed": False},
            "libraries": {},
            "machine": {"platform": "Linux", "cpus": 2},
        }
    ]
}


def warnings_with(strategy: StrategyName) -> list[str]:
    labelling = labelling_options(strategy=strategy)
    return find_detection_warnings(
        ["dress", "red panda"], GARMENTS, labelling, CALIBRATION, INGESTION_REPORT, ONE_ATTEMPT
    )


def notes_from(weights: str | None) -> str:
    return "\n".join(find_detection_notes(GARMENTS, synthesis_options(), labelling_options(), weights))


def test_every_strategy_is_described():
    assert STRATEGY_DESCRIPTIONS.keys() == set(get_args(StrategyName))


def test_a_generator_need_not_know_objects_that_stay_real():
    assert "never taught red panda" in warnings_with("composition")[0]
    (warning,) = warnings_with("background_inpainting")
    assert warning.startswith("No synthetic image of red panda was accepted")


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (None, "trained from scratch. Expect a lift to be larger"),
        ("embedded:detector", "stands in for COCO weights"),
        ("yolo11n.pt", "start from yolo11n.pt"),
    ],
)
def test_where_training_starts_is_said(weights, words):
    notes = notes_from(weights)
    assert words in notes
    assert "AGPL-3.0" in notes
    assert "licence: MIT, commercial use allowed" in notes
    assert "background_inpainting: objects of real images, their surroundings drawn anew" in notes


def test_a_licence_against_commercial_use_is_warned_of():
    preset = generator_preset("embedded:generator", commercial_use=False, licence="sai-nc-community")
    labelling = labelling_options(strategy="background_inpainting")
    given = (["dress"], preset, labelling, CALIBRATION | {"per_class": {}}, INGESTION_REPORT, ONE_ATTEMPT)
    (warning,) = find_detection_warnings(*given)
    assert "licence, sai-nc-community, allows no commercial use of what it makes" in warning


def test_adapters_are_named_beside_the_licence():
    adapter = {"model": "someone/style", "revision": None, "weight_name": None, "scale": 0.8}
    preset = generator_preset("embedded:generator", adapters=[adapter])
    notes = find_notes(preset, synthesis_options())
    assert "commercial use allowed; adapters, under licences of their own: someone/style at scale 0.8." in notes[0]
