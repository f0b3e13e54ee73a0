import pandas as pd
import pytest
from factories import generator_preset, real_image_set, synthesis_options
from scheduler_study.scheduler_cases import PROMPTS, VOCABULARIES, study_options

from diffaug_pipeline.errors import ParameterError, UnknownClassesError
from diffaug_pipeline.scheduler_study.plan import plan_cells


@pytest.fixture(scope="module")
def real_images(tmp_path_factory):
    return real_image_set(tmp_path_factory.mktemp("real"), {"train": 1, "test": 1})


def test_every_cell_has_the_same_prompts_and_seeds_in_the_same_order(study):
    columns = ["draw", "label", "prompt", "seed", "is_extra"]
    first, *others = (rows[columns].reset_index(drop=True) for _, rows in study.plan.groupby("cell"))
    assert len(others) > 10
    for rows in others:
        pd.testing.assert_frame_equal(rows, first)
    assert first["seed"].is_unique
    assert first["label"].tolist() == ["cat", "dog", "<i>knight</i>"] * 3
    assert set(first.loc[first["is_extra"], "prompt"]) == {"<i>knight</i>"}


def test_every_picture_has_a_recipe_of_its_own_and_cells_differ_in_what_they_are_named_for(study):
    plan = study.plan
    assert plan["recipe"].is_unique
    assert plan["image_id"].is_unique
    cell = plan[plan["cell"] == "ddim, eta 1, 4 steps"].iloc[0]
    assert (cell["scheduler"], cell["eta"], cell["num_inference_steps"]) == ("ddim", 1, 4)
    assert plan.loc[plan["scheduler"] != "ddim", "eta"].isna().all()


def test_the_plan_is_made_the_same_again_and_more_images_leave_the_first_ones(study):
    def plan(images_per_class: int) -> pd.DataFrame:
        synthesis = synthesis_options(images_per_class=images_per_class, timestep_spacing="trailing")
        return plan_cells(study.real_images, study.options, PROMPTS, synthesis, study.preset, VOCABULARIES)

    pd.testing.assert_frame_equal(plan(3), study.plan)
    assert set(study.plan["recipe"]) < set(plan(4)["recipe"])


def test_all_share_a_spacing_but_those_that_know_none(tiny_generator, real_images):
    options = study_options(schedulers=["ddim", "dpmpp_2m_karras"], equal_evaluations=None)
    preset = generator_preset(str(tiny_generator))

    def spacings(spacing: str | None) -> dict[str, set]:
        synthesis = synthesis_options(images_per_class=1, timestep_spacing=spacing)
        plan = plan_cells(real_images, options, PROMPTS, synthesis, preset, VOCABULARIES)
        plan["scheduler"] = plan["scheduler"].where(plan["cell"] != "long run", "long run")
        return {name: set(rows["timestep_spacing"].dropna()) for name, rows in plan.groupby("scheduler")}

    assert spacings("linspace") == {"ddim": {"linspace"}, "dpmpp_2m_karras": set(), "long run": {"linspace"}}
    assert spacings(None) == {"ddim": set(), "dpmpp_2m_karras": set(), "long run": {"trailing"}}


def test_extra_prompts_are_not_asked_of_a_model_that_knows_only_its_classes(tmp_path):
    garments = real_image_set(tmp_path, {"train": 1}, class_names=("bag", "coat"))
    preset = generator_preset("embedded:generator", width_px=32, height_px=32)
    plan = plan_cells(garments, study_options(), PROMPTS, synthesis_options(images_per_class=1), preset, VOCABULARIES)
    assert set(plan["label"]) == {"bag", "coat"}
    assert not plan["is_extra"].any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "image_to_image"}, "synthesis.mode is image_to_image; the study needs text_to_image"),
        ({"scheduler": "ddim"}, "synthesis.scheduler is ddim; the study goes through several"),
        ({"num_inference_steps": 7}, "synthesis.num_inference_steps is 7; the study goes through several"),
    ],
)
def test_what_the_study_goes_through_cannot_also_be_fixed(tiny_generator, real_images, changes, message):
    preset = generator_preset(str(tiny_generator))
    with pytest.raises(ParameterError, match=message):
        plan_cells(real_images, study_options(), PROMPTS, synthesis_options(**changes), preset, VOCABULARIES)


def test_a_scheduler_that_does_not_fit_the_model_is_refused_before_anything_is_made(tiny_generator, real_images):
    options, preset = study_options(schedulers=["ddim", "flow_match_euler"]), generator_preset(str(tiny_generator))
    with pytest.raises(ParameterError, match="flow_match_euler does not fit a model that predicts epsilon"):
        plan_cells(real_images, options, PROMPTS, synthesis_options(), preset, VOCABULARIES)


def test_classes_the_generator_was_never_taught_are_refused(real_images):
    preset = generator_preset("embedded:generator", width_px=32, height_px=32)
    with pytest.raises(UnknownClassesError, match="never taught cat, dog"):
        plan_cells(real_images, study_options(), PROMPTS, synthesis_options(), preset, VOCABULARIES)
