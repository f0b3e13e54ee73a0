import json

import pytest
from factories import generator_preset, noise_image, real_image_set, synthesis_options
from PIL import Image
from playground_cases import PROMPTS, VOCABULARIES, request

from diffaug_pipeline.embedded import embedded_folder
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.playground.plan import describe_strangeness, plan_request
from diffaug_pipeline.playground.request import read_source
from diffaug_pipeline.prompts.plan import plan_synthesis
from diffaug_pipeline.synthesis.known_classes import classes_taught


@pytest.mark.parametrize("mode", ["text_to_image", "image_to_image"])
def test_the_plan_is_that_of_a_run(tiny_generator, tmp_path, mode):
    real = real_image_set(tmp_path, {"train": 1}, class_names=("cat",))
    size = "source" if mode == "image_to_image" else "model"
    options = synthesis_options(mode=mode, output_size=size, images_per_class=5)
    theirs = plan_synthesis(real, PROMPTS, options, generator_preset(str(tiny_generator)), VOCABULARIES)
    sources = {"sources": read_source(tmp_path / "cat-train-0.png", 1)} if mode == "image_to_image" else {}
    ours = plan_request(request(tiny_generator, mode=mode, count=3, **sources))
    assert ours["recipe"].tolist() == theirs["recipe"].tolist()[:3]
    assert ours.drop(columns="source_image_id").equals(theirs.iloc[:3].drop(columns="source_image_id"))


def test_schedulers_and_strengths_are_compared_from_the_same_seeds(tiny_generator):
    first = request(tiny_generator)
    seeds = [plan_request(way)["seed"].tolist() for way in (first, first.with_scheduler("heun"))]
    assert seeds[0] == seeds[1]


def test_inpainting_sees_the_whole_source_and_redraws_what_is_marked(tiny_generator, tmp_path):
    noise_image(0, (32, 32)).save(tmp_path / "source.png")
    mask = Image.new("L", (32, 32))
    mask.paste(255, (8, 16, 24, 32))
    sources = read_source(tmp_path / "source.png", 1)
    rows = plan_request(request(tiny_generator, mode="inpainting", sources=sources, mask=mask))
    row = rows.iloc[0]
    assert (row["region_xyxy"], row["mask_kind"], row["strength"]) == ([0, 0, 32, 32], "redraw", 0.5)
    assert row["mask_xyxy"] == [[4.0, float(y), 12.0, y + 1.0] for y in range(8, 16)]
    other = mask.copy()
    other.paste(255, (0, 0, 2, 2))
    assert (
        plan_request(request(tiny_generator, mode="inpainting", sources=sources, mask=other))["recipe"].iloc[0]
        != row["recipe"]
    )


def test_what_does_not_fit_together_is_refused_as_in_a_run(tiny_generator, tmp_path):
    with pytest.raises(ParameterError, match="flow_match_euler does not fit a model that predicts epsilon"):
        plan_request(request(tiny_generator, scheduler="flow_match_euler"))
    noise_image(0).save(tmp_path / "source.png")
    sources = read_source(tmp_path / "source.png", 1)
    with pytest.raises(ParameterError, match=r"strength 0.05 of 5 steps leaves none to take"):
        plan_request(request(tiny_generator, mode="image_to_image", strength=0.05, sources=sources))


def test_what_the_generator_was_never_taught_is_said(tiny_generator):
    garments = classes_taught("embedded:generator")
    taught = json.loads((embedded_folder("embedded:generator") / "trained_on.json").read_text())["classes"]
    assert garments == taught
    assert describe_strangeness(request("embedded:generator", class_name="zebra")).endswith("never taught zebra.")
    assert describe_strangeness(request("embedded:generator", class_name="", prompt="a zebra")) is not None
    assert describe_strangeness(request("embedded:generator", class_name=taught[0])) is None
    assert describe_strangeness(request("embedded:generator", class_name="", prompt=f"a red {taught[0]}")) is None
    assert describe_strangeness(request("embedded:generator", class_name=taught[0], prompt="a zebra")).endswith(
        "never taught a zebra."
    )
    template = request("embedded:generator", class_name=taught[0], prompt="a striped {class_name}")
    assert describe_strangeness(template) is None
    assert describe_strangeness(request(tiny_generator, class_name="zebra")) is None
