"""Pictures drawn here against those of a run, with the real classes at tiny size."""

import hashlib
import math

import numpy as np
import pytest
from factories import generator_preset, noise_image, real_image_set, synthesis_options
from PIL import Image
from playground_cases import PROMPTS, VOCABULARIES, request

from diffaug_pipeline.errors import BatchTooLargeError
from diffaug_pipeline.features.encoder import ClipScorer
from diffaug_pipeline.features.options import FeatureOptions
from diffaug_pipeline.imaging.preparation import open_image
from diffaug_pipeline.playground.request import SOURCE, read_source
from diffaug_pipeline.playground.studio import Job, Studio
from diffaug_pipeline.prompts.plan import plan_synthesis
from diffaug_pipeline.synthesis import generator
from diffaug_pipeline.synthesis.generator import Generator
from diffaug_pipeline.synthesis.loading import load_pipeline
from diffaug_pipeline.synthesis.synthesize import synthesize

TEMPLATES = ["a photo of a {class_name}", "a {class_name}"]


@pytest.fixture(scope="module")
def studio(tiny_clip) -> Studio:
    scorer = {"model": str(tiny_clip), "revision": None, "templates": TEMPLATES}
    return Studio(FeatureOptions(scorer=scorer, measure=None, batch_size=2, device="cpu", engine="local", workers=None))


def nothing() -> None:
    """Waits for the end."""


@pytest.mark.parametrize("mode", ["text_to_image", "image_to_image"])
def test_pictures_are_those_of_a_run_byte_for_byte(studio, tiny_generator, tmp_path, mode):
    real = real_image_set(tmp_path, {"train": 1}, class_names=("cat",))
    size = "source" if mode == "image_to_image" else "model"
    options = synthesis_options(mode=mode, output_size=size, images_per_class=6)
    preset = generator_preset(str(tiny_generator))
    planned = synthesize(plan_synthesis(real, PROMPTS, options, preset, VOCABULARIES), real, options, preset)
    rows = planned.plan.set_index("recipe", drop=False)
    stored = {
        recipe: made.content
        for batch in planned.batches(planned.plan)
        for recipe, made in zip(batch, planned.make_images(rows.loc[batch]), strict=True)
    }
    sources = {"sources": read_source(tmp_path / "cat-train-0.png", 1)} if mode == "image_to_image" else {}
    drawn = studio.draw(Job(request(tiny_generator, mode=mode, count=6, **sources)), nothing)
    assert dict(zip(drawn.recipes, drawn.pictures, strict=True)) == stored
    assert len({hashlib.sha256(picture).digest() for picture in drawn.pictures}) == 6


def test_what_was_drawn_is_told(studio, tiny_generator, tiny_clip):
    told = []
    job = Job(request(tiny_generator, scheduler="heun", count=6))
    drawn = studio.draw(job, lambda: told.append(1))
    assert len(job.batches) == 2
    assert len(told) == job.evaluations == 2 * 9
    assert (drawn.label, drawn.model_evaluations, drawn.note) == ("heun, 5 steps", 9, None)
    assert drawn.scored_against == "the class"
    assert set(drawn.prompts) == {"a photo of a house cat", "a house cat"}
    assert drawn.seconds > 0
    scorer = ClipScorer(str(tiny_clip), None, "cpu")
    vectors = scorer.embed_images([open_image(picture) for picture in drawn.pictures], 6, "")
    cosines = vectors @ scorer.embed_classes(["cat"], TEMPLATES)[0]
    np.testing.assert_allclose(drawn.clip_scores, 2.5 * cosines.clip(0), atol=1e-5)


def test_pictures_are_scored_against_the_prompt_where_that_does_not_name_the_class(studio, tiny_generator, tiny_clip):
    drawn = studio.draw(Job(request(tiny_generator, class_name="cat", prompt="a dog on grass")), nothing)
    scorer = ClipScorer(str(tiny_clip), None, "cpu")
    vectors = scorer.embed_images([open_image(picture) for picture in drawn.pictures], 6, "")
    cosines = vectors @ scorer.embed_classes(["a dog on grass"], ["{class_name}"])[0]
    np.testing.assert_allclose(drawn.clip_scores, 2.5 * cosines.clip(0), atol=1e-5)
    assert drawn.scored_against == "the prompt"


def test_a_scorer_is_not_asked_what_it_was_never_taught(tiny_generator):
    scorer = {"model": "embedded:clip", "revision": None, "templates": TEMPLATES}
    studio = Studio(
        FeatureOptions(scorer=scorer, measure=None, batch_size=2, device="cpu", engine="local", workers=None)
    )
    drawn = studio.draw(Job(request(tiny_generator, class_name="", prompt="a zebra", count=1)), nothing)
    assert math.isnan(drawn.clip_scores[0])
    drawn = studio.draw(Job(request(tiny_generator, class_name="coat", prompt="a zebra", count=1)), nothing)
    assert math.isnan(drawn.clip_scores[0])
    drawn = studio.draw(Job(request(tiny_generator, class_name="", prompt="a coat", count=1)), nothing)
    assert not math.isnan(drawn.clip_scores[0])


def test_inpainting_changes_what_is_marked_and_nothing_else(studio, tiny_generator, tmp_path):
    noise_image(0, (45, 61)).save(tmp_path / "source.png")
    sources = read_source(tmp_path / "source.png", 1)
    mask = Image.new("L", (45, 61))
    mask.paste(255, (10, 20, 30, 40))
    drawn = studio.draw(Job(request(tiny_generator, mode="inpainting", sources=sources, mask=mask)), nothing)
    before = np.asarray(sources.read(SOURCE), int)
    for picture in drawn.pictures:
        changed = np.abs(np.asarray(open_image(picture), int) - before).max(2) > 0
        assert changed[20:40, 10:30].mean() > 0.9
        assert not np.delete(changed, slice(20, 40), axis=0).any()
        assert not np.delete(changed, slice(10, 30), axis=1).any()


@pytest.mark.parametrize("size", [(45, 61), (61, 45), (7, 90)])
def test_pictures_made_from_a_source_have_its_size(studio, tiny_generator, tmp_path, size):
    noise_image(0, size).save(tmp_path / "source.png")
    job = Job(request(tiny_generator, mode="image_to_image", sources=read_source(tmp_path / "source.png", 1)))
    assert {open_image(picture).size for picture in studio.draw(job, nothing).pictures} == {size}


def test_the_model_is_loaded_once_for_each_generator(studio, tiny_generator, monkeypatch):
    loads = []
    monkeypatch.setattr(generator, "load_pipeline", lambda *arguments: loads.append(1) or load_pipeline(*arguments))
    fresh = Studio(studio._features)
    first = fresh.draw(Job(request(tiny_generator)), nothing)
    again = fresh.draw(Job(request(tiny_generator)), nothing)
    assert (len(loads), first.pictures) == (1, again.pictures)
    preset = generator_preset(str(tiny_generator), licence="other")
    other = fresh.draw(Job(request(tiny_generator, preset=preset)), nothing)
    assert len(loads) == 2
    assert (first.is_first, again.is_first, other.is_first) == (True, False, True)


def test_what_memory_does_not_hold_is_drawn_in_halves(studio, tiny_generator, monkeypatch):
    make, sizes = Generator.make_images, []

    def too_small(self, rows, after_evaluation=None):
        sizes.append(len(rows))
        if len(rows) > 1:
            raise BatchTooLargeError("too many", len(rows))
        return make(self, rows, after_evaluation)

    expected = studio.draw(Job(request(tiny_generator)), nothing)
    monkeypatch.setattr(Generator, "make_images", too_small)
    drawn = studio.draw(Job(request(tiny_generator)), nothing)
    assert sizes == [3, 1, 2, 1, 1]
    pairs = zip(map(open_image, drawn.pictures), map(open_image, expected.pictures), strict=True)
    assert max(np.abs(np.asarray(ours, int) - np.asarray(theirs, int)).max() for ours, theirs in pairs) <= 1
