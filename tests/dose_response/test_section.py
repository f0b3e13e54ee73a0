import json

import pytest
from dose_response.dose_cases import document

from diffaug_pipeline.dose_response.figure import draw_dose_response
from diffaug_pipeline.dose_response.section import describe, describe_worth


def test_the_section_says_what_to_do_and_what_it_rests_on(tmp_path):
    stored = json.loads(json.dumps(document(tmp_path, half=60, one=90)))
    section = describe(stored)
    assert section.summary.startswith("Use 1 synthetic image per real one, 50% of every batch: +7.")
    assert "on test images, helped. Worth about " in section.summary
    assert "an extrapolation" in section.summary
    assert section.html.count("<tr>") == 1 + len(stored["doses"])
    assert section.html.count("<b>to use</b>") == 1
    assert "on 4,000 real validation images" in section.html
    assert 'id="dose"' in section.html


def test_without_a_dose_to_use_the_section_says_so(tmp_path):
    section = describe(document(tmp_path, half=38, one=30))
    assert section.summary == (
        "Use real images alone: no dose of synthetic ones is clearly better on validation images. Worth in extra real "
        "images: none that could be shown (no dose is clearly better than real images alone)."
    )
    assert "On test images" not in section.html


@pytest.mark.parametrize(
    ("images", "interval", "sentence"),
    [
        (1200, [800, 1900], "Worth about 1,200 extra real images (interval 800 to 1,900), if"),
        (1200, [800, None], "Worth about 1,200 extra real images (interval 800 to more than 3,000), if"),
        (None, [800, None], "Worth more than 3,000 extra real images (interval 800 to more than 3,000), if"),
        (None, [None, None], "Worth more than 3,000 extra real images, if"),
    ],
)
def test_bounds_beyond_the_limit_are_told_as_such(images, interval, sentence):
    worth = {"shown": True, "reason": None, "images": images, "interval": interval, "limit": 3000}
    assert describe_worth(worth).startswith(sentence)


def test_the_figure_marks_the_dose_and_shows_every_seed_and_interval(tmp_path):
    stored = document(tmp_path, half=60, one=90)
    traces = {trace.name: trace for trace in draw_dose_response(stored).data}
    assert list(traces["dose to use"].x) == ["1"]
    assert len(traces["one seed"].y) == 15
    curve = traces["mean, 95% interval"]
    assert list(curve.x) == ["0", "0.5", "1"]
    last = stored["doses"][-1]["gain"]
    assert curve.y[-1] + curve.error_y.array[-1] == pytest.approx(100 * last["interval"][1])
    assert curve.y[-1] - curve.error_y.arrayminus[-1] == pytest.approx(100 * last["interval"][0])


def test_the_drawn_power_law_passes_through_all_real_images_and_reaches_the_dose(tmp_path):
    stored = document(tmp_path, half=60, one=90)
    traces = {trace.name: trace for trace in draw_dose_response(stored).data}
    points, extrapolated = traces["real images alone"], traces["extrapolated"]
    assert (extrapolated.x[0], extrapolated.y[0]) == pytest.approx((points.x[-1], points.y[-1]))
    assert extrapolated.x[-1] > 40 + stored["worth"]["images"]
    assert extrapolated.y[-1] > 100 * stored["doses"][-1]["mean"]
    assert traces["power law"].y[-1] == pytest.approx(points.y[-1])
