import pytest
from factories import generator_preset, real_image_set, synthesis_options
from strength_study.study_cases import VOCABULARIES, judging_options, study_options

from diffaug_pipeline.errors import ParameterError, UnknownClassesError
from diffaug_pipeline.prompts.options import PromptOptions
from diffaug_pipeline.prompts.plan import recipe_hash
from diffaug_pipeline.strength_study.plan import plan_strengths

STRENGTHS = [0.9, 0.2, 0.6]


@pytest.fixture
def real(tmp_path):
    return real_image_set(tmp_path, {"train": 3, "val": 4, "test": 5})


def planned(real, model, study=None, judging=None, wording=None, preset=None, **changes):
    changes = {"mode": "image_to_image", "images_per_class": 4, "strength": STRENGTHS} | changes
    return plan_strengths(
        real,
        study_options(**study or {}),
        judging_options(**judging or {}),
        PromptOptions(vocabulary=None, wording=wording or {}),
        synthesis_options(**changes),
        generator_preset(str(model), **preset or {}),
        VOCABULARIES,
    )


def test_every_source_is_made_at_every_strength_as_often(real, tiny_generator):
    plan = planned(real, tiny_generator)
    assert len(plan) == 2 * 2 * 3 * 2
    counts = plan.groupby(["source_image_id", "strength"]).size()
    assert set(counts) == {2}
    assert len(counts) == 4 * 3
    assert plan.drop_duplicates("source_image_id")["label"].value_counts().to_dict() == {"cat": 2, "dog": 2}
    assert plan["recipe"].is_unique
    assert plan["image_id"].is_unique


def test_sources_are_training_images_of_the_class(real, tiny_generator):
    plan = planned(real, tiny_generator, images_per_class=100).merge(
        real.index, left_on="source_image_id", right_on="image_id", suffixes=("", "_of_source")
    )
    assert set(plan["split_of_source"]) == {"train"}
    assert (plan["label"] == plan["label_of_source"]).all()
    assert plan["source_image_id"].nunique() == 6


def test_strengths_of_one_source_and_sample_differ_in_nothing_else(real, tiny_generator):
    plan = planned(real, tiny_generator)
    plan["sample"] = plan["image_id"].str.split("/").str[-2]
    for _, along in plan.groupby(["source_image_id", "sample"]):
        differing = {column for column in along if along[column].astype(str).nunique() > 1}
        assert differing == {"image_id", "strength", "recipe"}
    assert plan["seed"].nunique() == 4 * 2


def test_more_pictures_keep_those_there_are(real, tiny_generator):
    few, many = (planned(real, tiny_generator, images_per_class=count) for count in (2, 6))
    assert set(few["recipe"]) < set(many["recipe"])


def test_prompts_come_from_the_vocabulary_with_the_wording(real, tiny_generator):
    plan = planned(real, tiny_generator, wording={"cat": "house cat"})
    prompts = set(plan.loc[plan["label"] == "cat", "prompt"])
    assert prompts <= {"a photo of a house cat", "a photo of a dark house cat"}
    assert len(prompts) == 2


def test_the_recipe_names_the_content_of_the_source(real, tiny_generator):
    row = planned(real, tiny_generator).iloc[0].to_dict()
    contents = real.index.set_index("image_id")["sha256"]
    without = {"image_id", "label", "split", "origin", "source_image_id", "recipe"}
    determining = {key: value for key, value in row.items() if key not in without}
    determining = {key: value.item() if hasattr(value, "item") else value for key, value in determining.items()}
    assert row["recipe"] == recipe_hash(determining | {"source": contents[row["source_image_id"]]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "text_to_image"}, "synthesis.mode is text_to_image; the study needs image_to_image"),
        ({"mode": None}, "synthesis.mode is null; the study needs image_to_image"),
        ({"output_size": "source"}, "synthesis.output_size is source; the study needs model"),
        ({"images_per_class": 5}, "images_per_class is 5, which is not a multiple of the 2 pictures"),
        ({"strength": [0.1, 0.5]}, r"0.1 of 5 steps leaves none to take; the smallest strength with 5 steps is 0\.2"),
        ({"wording": {"bird": "crane"}}, "prompts.wording names bird"),
    ],
)
def test_what_does_not_fit_together_is_refused(real, tiny_generator, changes, message):
    with pytest.raises(ParameterError, match=message):
        planned(real, tiny_generator, **changes)


@pytest.mark.parametrize("steps", [3, 5, 7, 12, 30, 50])
def test_the_smallest_strength_named_works_and_less_does_not(real, tiny_generator, steps):
    with pytest.raises(ParameterError) as refused:
        planned(real, tiny_generator, num_inference_steps=steps, strength=[0.0001])
    smallest = float(str(refused.value).split("steps is ")[1].split(",")[0])
    assert len(planned(real, tiny_generator, num_inference_steps=steps, strength=[smallest])) == 8
    with pytest.raises(ParameterError):
        planned(real, tiny_generator, num_inference_steps=steps, strength=[smallest - 0.002])


def test_a_scorer_or_generator_that_does_not_know_the_classes_is_refused(real, tiny_generator):
    with pytest.raises(UnknownClassesError, match=r"never taught cat, dog\. It cannot tell whether"):
        planned(real, tiny_generator, judging={"clip_model": "embedded:clip"})
    with pytest.raises(UnknownClassesError, match=r"never taught cat, dog\. Choose a generator"):
        planned(real, "embedded:generator")
