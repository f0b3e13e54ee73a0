import re
from dataclasses import replace

import numpy as np
import pytest
from evaluation.report_cases import RUN_RECORD
from PIL import Image
from strength_study.study_cases import made_with, measures_table, study_options

from diffaug_pipeline.strength_study.figure import draw_measures
from diffaug_pipeline.strength_study.page import StrengthContent, render_page
from diffaug_pipeline.strength_study.recommendation import recommend
from diffaug_pipeline.strength_study.summary import Sources, summarize_strengths

CHANCES = {0.3: 0.93, 0.6: 0.93, 0.9: 0.4}


@pytest.fixture
def content() -> StrengthContent:
    options = study_options()
    measures = measures_table(300, samples=2, agreeing=CHANCES)
    summary, sources = summarize_strengths(measures, made_with(list(CHANCES)), 0.02, 0.95), Sources.of(measures, 0.95)
    return StrengthContent(
        summary=summary,
        sources=sources,
        recommendation=recommend(summary, options),
        options=options,
        near_duplicate_distance=0.02,
        figure=draw_measures(summary, sources, recommend(summary, options)),
        contact_sheet=Image.new("RGB", (200, 100), "white"),
        notes=["Generator tiny; licence: MIT."],
        dataset="my/<pictures> & more",
        run_record=RUN_RECORD,
    )


def words(page: str) -> str:
    """What a reader sees, on one line."""
    visible = re.sub(r"<(script|style)>.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", visible).split())


def test_the_recommendation_comes_first_and_in_words(content):
    text = words(render_page(content))
    assert text.index("Strength 0.6 keeps the class on this dataset") < text.index("What this means")
    for reason in content.recommendation.reasons:
        assert reason in text
    assert "At 0.9 class agreement falls by more than 5 points" in text
    assert "strength: [0.6]" in text
    assert "300 real training images as sources 3 strengths 2 pictures per source" in text
    assert "interval of class agreement minus that of the real sources lies above −5 points" in text
    assert "stays below 10 %" in text


def test_the_table_has_every_measure_of_every_strength(content):
    text = words(render_page(content))
    for row in content.summary.itertuples():
        share = f"{100 * row.agreement:.1f} {100 * row.agreement_low:.1f} to {100 * row.agreement_high:.1f}"
        change = f"{100 * row.agreement_change:+.1f} {100 * row.agreement_change_low:+.1f}"
        assert f"{row.strength:g} {row.model_evaluations} {share} {change}" in text
        assert f"{row.ssim:.2f} {row.ssim_low:.2f} to {row.ssim_high:.2f}" in text
        assert f"{row.diversity:.2f} {row.diversity_low:.2f} to {row.diversity_high:.2f}" in text


def test_several_or_no_strengths_read_well(content):
    several = replace(content.recommendation, strengths=[0.3, 0.6], title="Strengths 0.3 and 0.6")
    assert "Strengths 0.3 and 0.6 keep the class" in words(render_page(replace(content, recommendation=several)))
    none = replace(content.recommendation, strengths=[], title="No strength qualifies")
    page = render_page(replace(content, recommendation=none))
    assert "No strength qualifies From" in words(page)
    assert 'class="verdict inconclusive"' in page
    assert "To use it" not in page


def test_the_users_text_is_escaped_and_nothing_is_asked_for_from_outside(content):
    page = render_page(content)
    assert "my/&lt;pictures&gt; &amp; more" in page
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert "<pictures>" not in own
    assert re.findall(r"(?:src|href)=[\"'](?!data:)", own) == []


def test_the_figure_shows_all_measures_with_their_intervals(content):
    lines = {trace.name: trace for trace in content.figure.data}
    assert lines.keys() == {"class agreement", "CLIP similarity", "SSIM", "diversity"}
    agreement = lines["class agreement"]
    np.testing.assert_allclose(agreement.y, 100 * content.summary["agreement"])
    np.testing.assert_allclose(agreement.y + agreement.error_y.array, 100 * content.summary["agreement_high"])
    np.testing.assert_allclose(agreement.y - agreement.error_y.arrayminus, 100 * content.summary["agreement_low"])
    shapes = content.figure.layout.shapes
    assert [shape.y0 for shape in shapes if shape.type == "line"] == pytest.approx(
        [100 * content.sources.agreement.mean, content.sources.diversity]
    )
    marked = {round((shape.x0 + shape.x1) / 2, 6) for shape in shapes if shape.type == "rect"}
    assert marked == {0.6}


def test_without_a_second_source_per_class_there_is_no_scale_of_diversity(content):
    lone = replace(content.sources, diversity=np.nan)
    figure = draw_measures(content.summary, lone, content.recommendation)
    assert len([shape for shape in figure.layout.shapes if shape.type == "line"]) == 1
