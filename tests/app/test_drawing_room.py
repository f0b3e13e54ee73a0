"""The form as a request, and a request as the parameters of a run that draws the same."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import yaml
from factories import noise_image, real_image_set
from kedro.framework.startup import bootstrap_project
from PIL import Image

from diffaug_pipeline.app.drawing_room import DrawingRoom, Form, StoppedError
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.playground.plan import plan_request
from diffaug_pipeline.project import Project
from diffaug_pipeline.prompts.plan import plan_synthesis

FORM = Form(
    generator="embedded",
    mode="text_to_image",
    class_name="coat",
    prompt="",
    negative_prompt="",
    source=None,
    drawing=None,
    strength=0.4,
    scheduler="ddim",
    num_inference_steps=6,
    guidance_scale=3.0,
    eta=0.0,
    seed=7,
    count=3,
)


@pytest.fixture(scope="module")
def room(project: Path) -> DrawingRoom:
    bootstrap_project(project)
    return DrawingRoom(Project(env="smoke"))


@pytest.fixture
def run_with(project: Path, tmp_path: Path) -> Callable[[str], Project]:
    """The project as a run sees it whose `conf/local/parameters.yml` holds the text given."""

    def see(text: str) -> Project:
        conf = tmp_path / "conf"
        shutil.copytree(project / "conf", conf, ignore=shutil.ignore_patterns("local"))
        (conf / "local").mkdir()
        (conf / "local" / "parameters.yml").write_text(text)
        return Project(conf_source=str(conf))

    return see


def form(**changes: Any) -> Form:
    return dataclasses.replace(FORM, **changes)


CASES = {
    "as it stands": {},
    "another scheduler, with eta": {"scheduler": "tcd", "eta": 0.3},
    "another wording": {"prompt": "a {tone} {class_name}, side view", "negative_prompt": "blurry"},
    "from a source": {"mode": "image_to_image", "strength": 0.35},
}


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES.keys())
def test_a_run_with_the_copied_parameters_draws_the_same_first(room, run_with, tmp_path, changes):
    real = real_image_set(tmp_path / "real", {"train": 1}, class_names=("coat",))
    request = room.read(form(source=str(tmp_path / "real" / "coat-train-0.png"), **changes))
    run = run_with(room.parameters(request))
    synthesis = run.parameters("params:classification.synthesis")
    planned = plan_synthesis(
        real,
        run.parameters("params:classification.prompts"),
        synthesis,
        run.parameters("params:generators").choose(synthesis.generator),
        run.parameters("params:vocabularies"),
    )
    assert planned["recipe"].tolist()[:3] == plan_request(request)["recipe"].tolist()
    assert len(planned) == synthesis.images_per_class


def test_inpainting_becomes_parameters_of_detection(room, run_with, tmp_path):
    noise_image(0).save(tmp_path / "source.png")
    layer = Image.new("RGBA", (32, 32), "white")
    drawing = {"background": None, "layers": [layer], "composite": None}
    request = room.read(form(mode="inpainting", source=str(tmp_path / "source.png"), drawing=drawing))
    text = room.parameters(request)
    assert "a run draws objects anew inside their boxes, not what is marked here" in text
    run = run_with(text)
    assert run.parameters("params:detection.labelling").strategy == "object_inpainting"
    synthesis = run.parameters("params:detection.synthesis")
    assert (synthesis.mode, synthesis.scheduler, synthesis.strength) == (None, "ddim", 0.4)


def test_that_a_run_has_sources_of_its_own_is_said(room, tmp_path):
    noise_image(0).save(tmp_path / "source.png")
    text = room.parameters(room.read(form(mode="image_to_image", source=str(tmp_path / "source.png"))))
    assert text.startswith("# A run starts from its own training images, not from the one uploaded here.")


def test_a_prompt_without_the_class_is_left_out_and_said(room):
    text = room.parameters(room.read(form(class_name="", prompt="a coat on a chair")))
    assert text.startswith("# The prompt is left out: a run prompts for every class")
    assert "prompts" not in yaml.safe_load(text)["classification"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_inference_steps": 0}, "num_inference_steps is 0: "),
        ({"seed": None}, "seed and count must be numbers"),
        ({"count": 99}, "the count is 99"),
        ({"class_name": None}, "neither a class nor a prompt"),
        ({"mode": "inpainting"}, "inpainting starts from a picture"),
    ],
)
def test_what_cannot_be_asked_for_is_one_sentence(room, changes, message):
    with pytest.raises(ParameterError, match=message):
        room.read(form(**changes))


def test_eta_counts_where_the_scheduler_has_it(room):
    assert room.read(form(eta=0.5)).synthesis.eta == 0.5
    assert room.read(form(eta=0.5, scheduler="heun")).synthesis.eta is None
    assert room.read(form(eta=0.0)).synthesis.eta is None


def test_what_was_asked_for_before_the_stop_is_not_wanted_any_more(room):
    visitor, other = (gr.Request(session_hash=name) for name in ("one", "other"))
    room.check_wanted(visitor, asked_at=0.0)
    room.stop(visitor)
    with pytest.raises(StoppedError):
        room.check_wanted(visitor, asked_at=0.0)
    room.check_wanted(visitor, asked_at=float("inf"))
    room.check_wanted(other, asked_at=0.0)
