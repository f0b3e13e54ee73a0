import io

import numpy as np
import pytest
from factories import noise_image, synthesis_options
from PIL import Image
from playground_cases import VOCABULARIES, request

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.playground.request import SOURCE, read_source, request_vocabulary, with_changes


def drawn_on(size: tuple[int, int], box: tuple[int, int, int, int] | None = (2, 3, 9, 9)) -> Image.Image:
    mask = Image.new("L", size)
    if box is not None:
        mask.paste(255, box)
    return mask


@pytest.fixture
def source(tmp_path):
    noise_image(3, (45, 61)).save(tmp_path / "source.png")
    return read_source(tmp_path / "source.png", max_megapixels=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": 0}, "the count is 0; at a time 1 to 16 pictures are made"),
        ({"count": 17}, "the count is 17"),
        ({"class_name": ""}, "neither a class nor a prompt is given"),
        ({"class_name": "", "prompt": "a {class_name}"}, "says {class_name}, but no class is given"),
        ({"prompt": "a {class_name"}, "braces of the prompt do not match"),
        ({"prompt": "a {tone} {class_name}"}, "uses tone; axes are none"),
        ({"mode": "image_to_image"}, "image_to_image starts from a picture; upload one"),
        ({"mode": "inpainting"}, "inpainting starts from a picture; upload one"),
    ],
)
def test_what_cannot_be_asked_for_is_one_sentence(changes, message):
    with pytest.raises(ParameterError, match=message):
        request("tiny", **changes)


@pytest.mark.parametrize("mask", [None, drawn_on((45, 61), None)])
def test_inpainting_without_a_mark_is_refused(source, mask):
    with pytest.raises(ParameterError, match="nothing is marked on the source; draw on it"):
        request("tiny", mode="inpainting", sources=source, mask=mask)


def test_every_bad_value_is_named_at_once():
    with pytest.raises(ParameterError) as refused:
        with_changes(synthesis_options(), num_inference_steps=0, guidance_scale=0.5, strength=2.0)
    for words in ("num_inference_steps is 0: ", "guidance_scale is 0.5: ", "strength is 2.0: every strength must be"):
        assert words in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({}, ["a photo of a house cat", "a house cat"]),
        ({"class_name": "ape"}, ["a photo of an ape", "an ape"]),
        ({"prompt": "two {class_name}s"}, ["two house cats"]),
        ({"prompt": "a zebra", "class_name": ""}, ["a zebra"]),
        ({"prompt": "a zebra"}, ["a zebra"]),
    ],
)
def test_prompts_are_those_of_a_run_or_as_written(changes, sentences):
    assert request("tiny", **changes).sentences == sentences


def test_a_template_replaces_those_of_the_vocabulary():
    vocabulary = request_vocabulary(VOCABULARIES.choose("plain"), "a red {class_name}", "text")
    assert (vocabulary.templates, vocabulary.negative_prompt) == (["a red {class_name}"], "text")
    assert request_vocabulary(VOCABULARIES.choose("plain"), "a zebra", "blurry") == VOCABULARIES.choose("plain")


def test_another_scheduler_drops_an_eta_that_means_nothing_to_it(source):
    with_eta = request("tiny", scheduler="ddim", eta=0.5, mode="image_to_image", sources=source)
    assert with_eta.label == "ddim, 5 steps, eta 0.5, strength 0.5"
    assert with_eta.with_scheduler("tcd").synthesis.eta == 0.5
    assert with_eta.with_scheduler("heun").label == "heun, 5 steps, strength 0.5"
    assert with_eta.with_strength(0.25).label == "ddim, 5 steps, eta 0.5, strength 0.25"


def rotated_jpeg() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = io.BytesIO()
    noise_image(1, (40, 20)).save(content, "JPEG", exif=exif)
    return content.getvalue()


def transparent_png() -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.full((40, 20, 4), 128, np.uint8)).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize("content", [rotated_jpeg(), transparent_png()])
def test_sources_are_read_upright_and_rgb(tmp_path, content):
    (tmp_path / "upload").write_bytes(content)
    source = read_source(tmp_path / "upload", max_megapixels=1)
    assert source.index[["width_px", "height_px"]].iloc[0].tolist() == [20, 40]
    picture = source.read(SOURCE)
    assert (picture.mode, picture.size) == ("RGB", (20, 40))


@pytest.mark.parametrize(
    ("content", "max_megapixels", "message"),
    [
        (b"", 1, "the file is empty"),
        (b"no picture", 1, "not a picture in a known format"),
        (rotated_jpeg()[:-200], 1, "damaged"),
        (transparent_png(), 0.0005, "more than 0.0005 megapixels"),
    ],
)
def test_what_is_no_source_is_one_sentence(tmp_path, content, max_megapixels, message):
    (tmp_path / "upload.png").write_bytes(content)
    with pytest.raises(ParameterError, match=f"the source cannot be used: .*{message}"):
        read_source(tmp_path / "upload.png", max_megapixels)
