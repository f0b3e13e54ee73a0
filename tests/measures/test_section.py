import re
from copy import deepcopy

import pytest
from measures.measure_cases import options, task_of_boxes, task_of_images

from diffaug_pipeline.measures.catalogue import ACCEPTED, MADE, MEASURES, REAL
from diffaug_pipeline.measures.figure import draw_measures
from diffaug_pipeline.measures.measure import measure_synthetic_images
from diffaug_pipeline.measures.section import describe, summarize


@pytest.fixture(scope="module")
def document() -> dict:
    return document_of(task_of_images())


def document_of(task, **changes) -> dict:
    parts = task.features, task.real_images, task.synthetic_images, task.decisions
    return measure_synthetic_images(*parts, options(**changes))[1]


def with_change(document: dict, **intervals) -> dict:
    changed = deepcopy(document)
    for name in MEASURES:
        low, high = intervals.get(name, (-1, 1))
        changed["change"][name] = {"mean": (low + high) / 2, "low": low, "high": high, "images": 10}
    return changed


def test_the_summary_claims_what_intervals_tell_from_none(document):
    moved = with_change(document, kid=(-0.2, -0.1), precision=(0.1, 0.2), vendi=(-3, -1), recall=(-0.1, 0.1))
    assert "The filter raised realism (KID, precision) and lowered diversity (Vendi score); KID" in summarize(moved)
    still = summarize(with_change(document))
    assert "The filter changed neither realism nor diversity by more than chance would" in still
    kid = document["sets"][ACCEPTED]["kid"]
    assert f"{kid['mean']:.3f} [{kid['low']:.3f}, {kid['high']:.3f}] after" in still
    mixed = summarize(with_change(document, kid=(0.1, 0.2), density=(0.1, 0.2), coverage=(0.1, 0.2)))
    assert "lowered realism (KID) and raised realism (density) and raised diversity (coverage)" in mixed


def test_the_summary_says_what_is_too_few():
    nothing = task_of_images()
    nothing.decisions["accepted"] = False
    assert "0 accepted images are too few to be measured" in summarize(document_of(nothing))
    few = summarize(document_of(task_of_images(), min_images=60))
    assert few == "Not measured: 49 real images are too few, 60 of each are needed."


def test_the_section_shows_every_measure_beside_the_floor(document):
    section = describe(document)
    for name, measure in MEASURES.items():
        assert measure.title in section.html
        for of_set in (REAL, MADE, ACCEPTED):
            value = document["sets"][of_set][name]
            written = f"{measure.scale * value['mean']:.{measure.digits}f}<br>"
            assert written in section.html, (of_set, name)
    assert "another, which the filter does not use" in section.html
    assert "FID is not shown: it takes 10,000 images on both sides, and there are 49 real and 80 synthetic ones" in (
        section.html
    )
    assert re.search(r"it is 20 of each set, the mean over 20 random draws", section.html)


def test_the_section_warns_where_the_filter_judges_by_the_same_features():
    section = describe(document_of(task_of_boxes(), min_images_for_fid=20))
    assert "clip, is the one the filter judges by" in section.html
    assert "FID is not shown" not in section.html
    assert "<td>FID</td>" in section.html


def test_the_section_survives_a_set_without_anything():
    section = describe(document_of(task_of_images(), min_images=200))
    assert section.summary.startswith("Not measured: 49 real images and 80 synthetic images are too few")
    assert "random draws" not in section.html


def test_class_names_are_escaped(document):
    hostile = document | {"per_class": {"<script>": document["per_class"]["bag"]}}
    assert "<td><script></td>" not in describe(hostile).html


def test_the_figure_shows_each_class_and_a_menu_of_measures(document):
    figure = draw_measures(document)
    assert list(figure.layout.yaxis.ticktext) == ["all classes", "bag", "coat", "hat"]
    buttons = figure.layout.updatemenus[0].buttons
    assert [button.label for button in buttons] == [measure.title for measure in MEASURES.values()]
    coverage = document["per_class"]["coat"]["sets"][MADE]["coverage"]
    view = buttons[list(MEASURES).index("coverage")].args[0]
    assert view["x"][1][2] == pytest.approx(100 * coverage["mean"])
    assert view["x"][1][2] + view["error_x.array"][1][2] == pytest.approx(100 * coverage["high"])
    assert view["x"][1][3] is None
    kid = document["sets"][ACCEPTED]["kid"]
    assert figure.data[2].x[0] - figure.data[2].error_x.arrayminus[0] == pytest.approx(kid["low"])
