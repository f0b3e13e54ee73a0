from pathlib import Path

import pytest
from dose_response.dose_cases import accuracies, document, power_law, real_images, study_options
from evaluations import evaluation_options, outcomes

from diffaug_pipeline.dose_response.findings import arms_to_confirm, choose_dose, confirm_dose


def choice_of(
    tmp_path: Path, evaluation: dict | None = None, seeds: int = 5, images: int = 4_000, **doses: float
) -> dict:
    answers = outcomes(accuracies(**doses), seeds, images)
    options = evaluation_options(**evaluation or {})
    return choose_dose(answers, real_images(tmp_path), study_options(), options)


def test_doses_and_learning_curve_tell_means_and_paired_gains(tmp_path):
    choice = choice_of(tmp_path, **{"0.5": 60, "1": 90})
    gains = {dose["ratio"]: dose["gain"]["mean"] for dose in choice["doses"]}
    assert gains == pytest.approx(
        {0: 0, 0.5: power_law(60) - power_law(40), 1: power_law(90) - power_law(40)}, abs=1e-3
    )
    assert [dose["share"] for dose in choice["doses"]] == pytest.approx([0, 1 / 3, 1 / 2])
    assert choice["doses"][0]["gain"]["interval"] == [0, 0]
    points = choice["learning_curve"]["points"]
    assert [point["real_images"] for point in points] == [10, 20, 30, 40]
    assert [point["mean"] for point in points] == pytest.approx([power_law(n) for n in (10, 20, 30, 40)], abs=1e-3)
    assert points[-1]["values"] == choice["doses"][0]["values"]


def test_the_best_dose_is_chosen_and_worth_the_images_it_was_made_to_be(tmp_path):
    choice = choice_of(tmp_path, **{"0.5": 60, "1": 90})
    assert (choice["best_ratio"], choice["chosen_ratio"]) == (1.0, 1.0)
    assert arms_to_confirm(choice) == ["ratio_0", "ratio_1"]
    assert choice["worth"]["shown"]
    assert choice["worth"]["images"] == pytest.approx(50, rel=0.1)
    low, high = choice["worth"]["interval"]
    assert low <= choice["worth"]["images"] <= high


def test_where_no_dose_is_better_real_images_alone_are_chosen_and_nothing_is_confirmed(tmp_path):
    choice = choice_of(tmp_path, **{"0.5": 38, "1": 30})
    assert (choice["best_ratio"], choice["chosen_ratio"]) == (0.0, 0.0)
    assert arms_to_confirm(choice) == []
    whole = confirm_dose(choice, {}, evaluation_options())
    assert whole["confirmation"] is None
    assert whole["worth"] | {"reason": None} == {"shown": False, "reason": None} | dict.fromkeys(
        ("images", "interval", "limit")
    )
    assert whole["worth"]["reason"] == "no dose is clearly better than real images alone"


def test_a_gain_that_may_be_chance_is_worth_nothing_that_could_be_shown(tmp_path):
    certain, strict = (
        choice_of(tmp_path / name, {"confidence": confidence}, images=400, **{"0.5": 41, "1": 44})
        for name, confidence in (("certain", 0.6), ("strict", 0.9999))
    )
    assert certain["chosen_ratio"] == strict["chosen_ratio"] == 1
    assert certain["worth"]["shown"]
    assert strict["worth"]["reason"] == "the gain on validation images may be chance"


def test_few_seeds_show_nothing(tmp_path):
    choice = choice_of(tmp_path, seeds=3, **{"0.5": 60, "1": 90})
    assert choice["worth"]["reason"] == "3 paired seeds are too few, it takes 5"


def test_the_confirmation_is_the_projects_own_comparison(tmp_path):
    whole = document(tmp_path, half=60, one=90)
    assert whole["confirmation"]["verdict"] == "helped"
    assert list(whole["confirmation"]["arms"]) == ["real_only", "augmented"]
    assert whole["worth"]["shown"]


def test_a_gain_that_test_images_do_not_confirm_is_worth_nothing_that_could_be_shown(tmp_path):
    choice = choice_of(tmp_path, **{"0.5": 60, "1": 90})
    assert choice["worth"]["shown"]
    on_test = outcomes({"ratio_0": 0.8, "ratio_1": 0.79})
    whole = confirm_dose(choice, on_test, evaluation_options())
    assert whole["worth"]["reason"] == "test images do not confirm the gain"
    assert whole["worth"]["images"] is None
    assert whole["learning_curve"] == choice["learning_curve"]
