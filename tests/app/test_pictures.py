import base64
import math
import re

import pytest
from factories import generator_preset, noise_image

from diffaug_pipeline.app.pictures import show_pictures
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.playground.request import no_source, read_source
from diffaug_pipeline.playground.studio import Drawn


def drawn(**changes) -> Drawn:
    values = {
        "label": "heun, 5 steps",
        "pictures": [encode_png(noise_image(0)), encode_png(noise_image(1))],
        "prompts": ["a <b>bold</b> coat", "a coat"],
        "recipes": ["abc", "def"],
        "clip_scores": [0.5, 1.0],
        "scored_against": "the prompt",
        "seconds": 1.234,
        "is_first": False,
        "model_evaluations": 9,
        "note": None,
    }
    return Drawn(**values | changes)


def shown(*all_drawn: Drawn, sources: ImageSet | None = None) -> str:
    return show_pictures(all_drawn, no_source() if sources is None else sources, generator_preset("owner/model"))


def test_pictures_are_inside_byte_for_byte_and_named_by_recipe():
    page = shown(drawn())
    links = re.findall(r'<a href="data:image/png;base64,([^"]+)" download="(\w+).png"', page)
    assert [(base64.b64decode(content), recipe) for content, recipe in links] == list(
        zip(drawn().pictures, ["abc", "def"], strict=True)
    )
    assert "1.23 s · 9" in page
    assert "1.23 s, the first pictures take longer · 9" in shown(drawn(is_first=True))
    assert "9 model evaluations per picture" in page
    assert "CLIP score 0.750 to the prompt" in page
    assert "owner/model; licence: MIT, commercial use allowed" in page


def test_what_people_type_is_text_and_no_markup():
    page = shown(drawn(note="never taught <zebra>"))
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<b>" not in page
    assert "&lt;zebra&gt;" in page


def test_the_source_stands_beside_the_pictures_of_every_way(tmp_path):
    noise_image(5, (9, 7)).save(tmp_path / "source.png")
    page = shown(drawn(), drawn(label="ddim, 5 steps"), sources=read_source(tmp_path / "source.png", 1))
    assert page.count('alt="the source"') == page.count("<h3>") == 2


@pytest.mark.parametrize(
    ("size_px", "width_px", "enlarged"), [(32, 112, True), (112, 112, False), (200, 200, False), (512, 256, False)]
)
def test_small_pictures_are_enlarged_and_large_ones_can_be_looked_at(size_px, width_px, enlarged):
    page = shown(drawn(pictures=[encode_png(noise_image(0, (size_px, size_px)))] * 2))
    assert f"--width: {width_px}px" in page
    assert ('class="enlarged"' in page) == enlarged


def test_a_score_that_nobody_knows_is_said():
    assert "no CLIP score" in shown(drawn(clip_scores=[math.nan, math.nan]))
