import pandas as pd
import pytest
from factories import generator_preset

from diffaug_pipeline.evaluation.caveats import find_warnings
from diffaug_pipeline.evaluation.report import summarize_costs

GARMENTS = generator_preset("embedded:generator")
MACHINE = {"platform": "Linux", "cpus": 2}
NO_LOOK_ALIKES = {"near_duplicates_across_splits": {"groups": 0, "examples": []}}
FILTER_ON = {"switched_off": None}
ONE_ATTEMPT = {"attempts": [{"code": {"commit": "a" * 40, "changed": False}, "libraries": {}, "machine": MACHINE}]}


def record(attempts: int, **synthesis: float) -> dict:
    output = {"version": "r", "seconds": 1.0, "bytes": 1, **synthesis}
    return {
        "attempts": [{}] * attempts,
        "nodes": {
            "classification.ingest": {"tags": ["ingestion"], "seconds": 2.0, "outputs": {}},
            "classification.make": {
                "tags": ["synthesis"],
                "seconds": 41.0,
                "outputs": {"classification.synthetic_images": output},
            },
        },
    }


def test_the_price_of_an_accepted_image_counts_the_rejected_but_not_those_made_elsewhere():
    decisions = pd.DataFrame({"accepted": [True] * 50 + [False] * 50})
    costs = summarize_costs(
        record(1, images_made=40, images_kept=0, images_reused=60, seconds_making=20), decisions, "classification"
    )
    of_set = costs["made"]["synthetic images"]
    assert (of_set["images_per_second"], of_set["images_reused"]) == (2, 60)
    assert costs["seconds_per_accepted"] == pytest.approx(1.0)
    assert costs["stages"] == {"ingestion": 2.0, "synthesis": 41.0}


def test_images_from_before_an_interruption_are_told_from_those_of_other_runs():
    decisions = pd.DataFrame({"accepted": [True] * 100})
    costs = summarize_costs(
        record(2, images_made=30, images_kept=50, images_reused=20, seconds_making=15), decisions, "classification"
    )
    of_set = costs["made"]["synthetic images"]
    assert (of_set["images_kept"], of_set["images_reused"], costs["attempts"]) == (50, 20, 2)


def test_a_scene_costs_its_generated_pictures_too_and_no_other_task_pays():
    pictures = {"images_made": 30, "images_kept": 0, "images_reused": 30, "seconds_making": 60.0}
    scenes = {"images_made": 20, "images_kept": 0, "images_reused": 0, "seconds_making": 5.0}
    composites = {"images_made": 900, "images_kept": 0, "images_reused": 0, "seconds_making": 900.0}
    nodes = {
        "detection.generate": {"detection.generated_images": pictures},
        "detection.label_images": {"detection.synthetic_images": scenes},
        "detection.copy_paste.compose": {"detection.copy_paste.synthetic_images": composites},
        "classification.make": {"classification.synthetic_images": composites},
    }
    run = {"nodes": {name: {"tags": ["work"], "seconds": 1.0, "outputs": made} for name, made in nodes.items()}}
    costs = summarize_costs(run, pd.DataFrame({"accepted": [True] * 10 + [False] * 10}), "detection")
    assert list(costs["made"]) == ["pictures generated", "synthetic images"]
    assert costs["seconds_per_accepted"] == pytest.approx((120 + 5) / 10)
    assert costs["stages"] == {"work": 3.0}


def test_a_class_without_accepted_images_is_a_warning():
    accepted = {"bag": {"made": 5, "accepted": 0}, "coat": {"made": 5, "accepted": 3}}
    (warning,) = find_warnings(["bag", "coat"], GARMENTS, FILTER_ON, accepted, NO_LOOK_ALIKES, ONE_ATTEMPT)
    assert warning.startswith("No synthetic image of bag was accepted")


def test_classes_the_generator_was_never_taught_head_the_report():
    (warning,) = find_warnings(["red panda"], GARMENTS, FILTER_ON, {}, NO_LOOK_ALIKES, ONE_ATTEMPT)
    assert "never taught red panda" in warning
    assert "sd15" in warning


def test_a_run_gone_on_with_on_another_machine_says_so():
    first = ONE_ATTEMPT["attempts"][0]
    record = {"attempts": [first, first | {"machine": MACHINE | {"cpus": 96}}]}
    (warning,) = find_warnings(["bag"], GARMENTS, FILTER_ON, {}, NO_LOOK_ALIKES, record)
    assert warning.endswith("then Linux, 96 CPUs.")
