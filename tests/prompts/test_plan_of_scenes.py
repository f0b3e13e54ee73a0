"""What is refused before anything is generated for scenes."""

import pandas as pd
import pytest
from factories import annotated_image_set, generator_preset, labelling_options, synthesis_options

from diffaug_pipeline.errors import ParameterError, UnknownClassesError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.labelling.options import OBJECTS_STAY_REAL
from diffaug_pipeline.labelling.plan import check_budget, plan_synthesis
from diffaug_pipeline.prompts.options import BudgetOptions, PromptOptions, Vocabularies

VOCABULARIES = Vocabularies({"plain": {"templates": ["a {class_name}"], "axes": {}, "negative_prompt": ""}})
MODES = {
    "composition": "text_to_image",
    "background_inpainting": "inpainting",
    "object_inpainting": "inpainting",
    "image_to_image": "image_to_image",
    "pseudo_labelling": "text_to_image",
}
EMBEDDED = generator_preset("embedded:generator", width_px=32, height_px=32)


def plan(
    real, strategy: str, wording: dict | None = None, counts: dict | None = None, images: int = 4, **synthesis
) -> pd.DataFrame:
    prompts = PromptOptions(vocabulary=None, wording=wording or {})
    options = synthesis_options(**{"mode": None, "strength": 0.9} | synthesis)
    labelling = labelling_options(strategy=strategy, images=images)
    return plan_synthesis(real, prompts, options, labelling, EMBEDDED, VOCABULARIES, counts)


def check(strategy: str, **changes) -> None:
    budget = BudgetOptions(**{"allocation": "uniform", "total": None, "quota": None} | changes)
    check_budget(budget, labelling_options(strategy=strategy))


@pytest.fixture
def real(tmp_path):
    """Bags and coats, which the embedded generator knows."""
    return annotated_image_set(tmp_path)


@pytest.fixture
def strangers(tmp_path):
    """Pandas, which it does not know."""
    return annotated_image_set(tmp_path, (("train", (64, 64), (("panda", (10, 8, 40, 45), False),)),))


@pytest.mark.parametrize(("strategy", "mode"), MODES.items())
def test_the_strategy_decides_how_the_generator_is_used(real, strategy, mode):
    assert set(plan(real, strategy)["mode"]) == {mode}
    assert plan(real, strategy).equals(plan(real, strategy, mode=mode))


@pytest.mark.parametrize("strategy", ["background_inpainting", "object_inpainting", "image_to_image"])
def test_an_added_scene_changes_none_of_the_pictures_drawn_from_others(real, strategy):
    train = real.where(split="train").index["image_id"].tolist()
    fewer = ImageSet(real.index[real.index["image_id"] != train[0]].reset_index(drop=True))
    before, after = (plan(images, strategy, images=8) for images in (fewer, real))
    new = after[~after["recipe"].isin(before["recipe"])]
    assert set(new["source_image_id"]) == {train[0]}
    assert len(new) < len(after)


@pytest.mark.parametrize(("strategy", "mode"), MODES.items())
def test_another_mode_is_refused(real, strategy, mode):
    for other in {*MODES.values()} - {mode}:
        with pytest.raises(ParameterError, match=f"mode is {other}, but the label strategy {strategy} works by {mode}"):
            plan(real, strategy, mode=other)


def test_label_strategies_place_pictures_themselves(real):
    with pytest.raises(
        ParameterError, match=r"detection\.synthesis\.output_size is source, but label strategies place"
    ):
        plan(real, "image_to_image", mode="image_to_image", output_size="source")


@pytest.mark.parametrize("strategy", [name for name in MODES if name not in OBJECTS_STAY_REAL])
def test_classes_the_generator_was_never_taught_are_refused_where_it_draws_them(strangers, strategy):
    with pytest.raises(UnknownClassesError, match="it was never taught panda"):
        plan(strangers, strategy)
    assert len(plan(strangers, strategy, allow_unknown_classes=True)) > 0


def test_surroundings_can_be_drawn_for_any_class(strangers):
    assert len(plan(strangers, "background_inpainting")) == 4


def test_wording_for_a_class_that_does_not_exist_is_refused(real):
    with pytest.raises(ParameterError, match="crane"):
        plan(real, "composition", wording={"crane": "crane, a bird"})


def test_composition_asks_for_so_many_objects_of_each_class(real):
    few, many = (plan(real, "composition", counts=counts) for counts in ({"bag": 1, "coat": 3}, {"bag": 4, "coat": 3}))
    assert few["label"].value_counts().to_dict() == {"bag": 1, "coat": 3}
    assert set(few["recipe"]) < set(many["recipe"])
    assert len(many) == 7


@pytest.mark.parametrize("strategy", MODES)
def test_objects_can_be_shared_out_where_the_strategy_asks_for_them_by_class(strategy):
    check(strategy)
    for budget in ({"allocation": "weakness"}, {"allocation": "balance"}, {"total": 50}):
        if strategy == "composition":
            check(strategy, **budget)
        else:
            with pytest.raises(ParameterError, match=rf"the label strategy {strategy} makes whole scenes, .*images of"):
                check(strategy, **budget)


def test_no_quota_can_stop_classes_of_scenes():
    with pytest.raises(ParameterError, match=r"detection\.budget\.quota is 5, but a scene shows several classes"):
        check("composition", quota=5)
