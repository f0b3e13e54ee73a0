import pytest
from factories import generator_preset, real_image_set, synthesis_options
from pydantic import ValidationError

from diffaug_pipeline.errors import ParameterError, UnknownClassesError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies, Vocabulary
from diffaug_pipeline.prompts.plan import plan_synthesis
from diffaug_pipeline.prompts.sentences import sentences
from diffaug_pipeline.synthesis.options import GeneratorPreset

VOCABULARIES = Vocabularies(
    {
        "plain": {
            "templates": ["a photo of a {class_name}, {light}", "a {light} {class_name}"],
            "axes": {"light": ["", "bright", "dim"]},
            "negative_prompt": "text",
        }
    }
)
PROMPTS = PromptOptions(vocabulary=None, wording={"cat": "house cat"})


def preset(model: str, **changes) -> GeneratorPreset:
    return generator_preset(
        model, **{"guidance_scale": {"text_to_image": 2, "image_to_image": 3, "inpainting": 4}} | changes
    )


@pytest.fixture
def real(tmp_path):
    return real_image_set(tmp_path, {"train": 3, "test": 2})


def test_one_row_per_image_with_its_own_seed_and_recipe(real, tiny_generator):
    plan = plan_synthesis(real, PROMPTS, synthesis_options(), preset(str(tiny_generator)), VOCABULARIES)
    assert plan["label"].value_counts().to_dict() == {"cat": 8, "dog": 8}
    for column in ("image_id", "seed", "recipe"):
        assert plan[column].is_unique
    assert set(plan["scheduler"]) == {"ddim"}
    assert set(plan["guidance_scale"]) == {2}
    assert plan["source_image_id"].isna().all()


def test_prompts_use_the_wording_and_cover_the_vocabulary_evenly(real, tiny_generator):
    plan = plan_synthesis(
        real, PROMPTS, synthesis_options(images_per_class=12), preset(str(tiny_generator)), VOCABULARIES
    )
    prompts = plan.loc[plan["label"] == "cat", "prompt"].value_counts()
    assert set(prompts.index) == set(sentences(VOCABULARIES.root["plain"], "house cat"))
    assert set(prompts) == {2}


def test_more_images_keep_the_earlier_rows(real, tiny_generator):
    few, many = (
        plan_synthesis(real, PROMPTS, synthesis_options(images_per_class=n), preset(str(tiny_generator)), VOCABULARIES)
        for n in (5, 9)
    )
    kept = many[many["image_id"].isin(few["image_id"])].reset_index(drop=True)
    assert kept.equals(few)


def test_classes_get_what_they_are_given_and_more_of_one_changes_no_earlier_row_of_any(real, tiny_generator):
    few, many = (
        plan_synthesis(real, PROMPTS, synthesis_options(), preset(str(tiny_generator)), VOCABULARIES, counts)
        for counts in ({"cat": 2, "dog": 5}, {"cat": 9, "dog": 5})
    )
    assert few["label"].value_counts().to_dict() == {"cat": 2, "dog": 5}
    assert many["label"].value_counts().to_dict() == {"cat": 9, "dog": 5}
    kept = many[many["image_id"].isin(few["image_id"])].reset_index(drop=True)
    assert kept.equals(few)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"num_inference_steps": 6},
        {"guidance_scale": 4.0},
        {"scheduler": "pndm"},
        {"eta": 0.5},
        {"timestep_spacing": "leading"},
        {"dtype": "bfloat16"},
        {"mode": "image_to_image"},
    ],
)
def test_whatever_determines_pixels_changes_every_recipe(real, tiny_generator, change):
    before, after = (
        plan_synthesis(real, PROMPTS, options, preset(str(tiny_generator)), VOCABULARIES)
        for options in (synthesis_options(), synthesis_options(**change))
    )
    assert set(before["recipe"]).isdisjoint(after["recipe"])


@pytest.mark.parametrize("change", [{"batch_size": 16}, {"device": "auto"}, {"strength": 0.9}])
def test_whatever_does_not_leaves_them(real, tiny_generator, change):
    before, after = (
        plan_synthesis(real, PROMPTS, options, preset(str(tiny_generator)), VOCABULARIES)
        for options in (synthesis_options(), synthesis_options(**change))
    )
    assert before["recipe"].tolist() == after["recipe"].tolist()


def test_image_to_image_goes_through_training_images_and_strengths_evenly(real, tiny_generator):
    options = synthesis_options(mode="image_to_image", strength=[0.3, 0.6], images_per_class=12)
    plan = plan_synthesis(real, PROMPTS, options, preset(str(tiny_generator)), VOCABULARIES)
    train = set(real.where(split="train").index["image_id"])
    assert set(plan["source_image_id"]) == train
    assert set(plan["source_image_id"].value_counts()) == {4}
    assert set(plan["strength"].value_counts()) == {12}
    own_class = plan["source_image_id"].str.split("/").str[0]
    assert (own_class == plan["label"]).all()


def test_an_added_source_plans_pictures_of_its_own_and_changes_none_of_the_others(real, tiny_generator):
    added = "cat/train/1"
    fewer = ImageSet(real.index[real.index["image_id"] != added].reset_index(drop=True))
    for count in (1, 4, 7, 12):
        options = synthesis_options(mode="image_to_image", strength=[0.3, 0.6], images_per_class=count)
        before, after = (
            plan_synthesis(images, PROMPTS, options, preset(str(tiny_generator)), VOCABULARIES)
            for images in (fewer, real)
        )
        new = after[~after["recipe"].isin(before["recipe"])]
        assert set(new["source_image_id"]) <= {added}
        assert len(new) == (after["source_image_id"] == added).sum()
        assert after["recipe"].is_unique
    assert len(new) == 4


def test_other_weights_are_other_recipes(real, tiny_generator, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(tiny_generator, copy)
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    before, after = (
        plan_synthesis(real, PROMPTS, synthesis_options(), preset(str(folder)), VOCABULARIES)
        for folder in (tiny_generator, copy)
    )
    assert before["model_revision"].iloc[0] != after["model_revision"].iloc[0]
    assert set(before["recipe"]).isdisjoint(after["recipe"])


def test_classes_the_embedded_generator_does_not_know_are_refused_with_a_way_out(real):
    embedded = preset("embedded:generator", width_px=32, height_px=32)
    with pytest.raises(UnknownClassesError, match=r"never taught cat, dog\. Choose a generator .* sd15, sd21 or sdxl"):
        plan_synthesis(real, PROMPTS, synthesis_options(), embedded, VOCABULARIES)
    with pytest.raises(UnknownClassesError):
        plan_synthesis(real, PROMPTS, synthesis_options(mode="image_to_image", strength=0.8), embedded, VOCABULARIES)
    gentle = synthesis_options(mode="image_to_image", strength=0.3)
    insisted = synthesis_options(allow_unknown_classes=True)
    for options in (gentle, insisted):
        assert len(plan_synthesis(real, PROMPTS, options, embedded, VOCABULARIES)) == 16


def test_an_unknown_vocabulary_is_named(real, tiny_generator):
    with pytest.raises(ParameterError, match="there is no vocabulary 'fancy'; there are plain"):
        plan_synthesis(
            real,
            PROMPTS.model_copy(update={"vocabulary": "fancy"}),
            synthesis_options(),
            preset(str(tiny_generator)),
            VOCABULARIES,
        )


def test_wording_of_a_class_that_does_not_exist_is_named(real, tiny_generator):
    prompts = PROMPTS.model_copy(update={"wording": {"catt": "house cat"}})
    with pytest.raises(ParameterError, match="names catt, which the dataset does not have; its classes are cat, dog"):
        plan_synthesis(real, prompts, synthesis_options(), preset(str(tiny_generator)), VOCABULARIES)


def test_a_strength_that_leaves_no_step_is_refused_with_the_smallest_that_does(real, tiny_generator):
    options = synthesis_options(mode="image_to_image", strength=[0.1, 0.5])
    with pytest.raises(ParameterError, match=r"0\.1 of 5 steps leaves none .* smallest strength with 5 steps is 0\.2"):
        plan_synthesis(real, PROMPTS, options, preset(str(tiny_generator)), VOCABULARIES)


@pytest.mark.parametrize(("mode", "named"), [(None, "null"), ("inpainting", "inpainting")])
def test_classification_names_a_mode_it_offers(real, tiny_generator, mode, named):
    with pytest.raises(ParameterError, match=f"mode is {named}; classification offers text_to_image and image_to"):
        plan_synthesis(real, PROMPTS, synthesis_options(mode=mode), preset(str(tiny_generator)), VOCABULARIES)


def test_inpainting_too_needs_a_step_to_take(tiny_generator):
    with pytest.raises(ParameterError, match=r"0\.1 of 5 steps leaves none"):
        synthesis_options(mode="inpainting", strength=0.1).check_strengths(preset(str(tiny_generator)))


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ({"templates": ["a photo"], "axes": {}}, "does not contain {class_name}"),
        ({"templates": ["a {class_name} {mood}"], "axes": {}}, "uses mood; axes are none"),
        ({"templates": ["a {class_name} {mood}"], "axes": {"mood": []}}, "axes mood have no words"),
    ],
)
def test_a_vocabulary_that_cannot_work_is_refused(vocabulary, message):
    with pytest.raises(ValidationError, match=message):
        Vocabulary(negative_prompt="", **vocabulary)
