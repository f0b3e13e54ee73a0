import re

import numpy as np
import pytest
from evaluation.report_cases import RUN_RECORD
from PIL import Image

from diffaug_pipeline.scheduler_study.figure import draw_quality
from diffaug_pipeline.scheduler_study.report import StudyContent, find_study_notes, render_study


def page_of(made, **changes) -> str:
    values = {
        "plan": made.plan,
        "scores": made.scores,
        "kernel_distances": made.kernel_distances,
        "summary": made.summary,
        "timings": made.timings,
        "quality_figure": draw_quality(made.summary, made.timings),
        "contact_sheet": Image.new("RGB", (20, 10)),
        "study": made.options,
        "judging": made.judging,
        "synthesis": made.synthesis,
        "notes": ["a <b>note</b>"],
        "run_record": RUN_RECORD,
    }
    return render_study(StudyContent(**values | changes))


@pytest.fixture(scope="module")
def page(study) -> str:
    return page_of(study)


def without_scripts(page: str) -> str:
    return re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_the_page_says_what_to_choose_and_how_it_was_found(page, study):
    words = (
        "Which scheduler for which budget",
        "pndm against ddim at equal model evaluations",
        "All cells",
        "How it was measured",
        "12 steps of dpmpp_2m",
        "test images are not touched",
        "9 prompts and seeds, 12 cells",
        RUN_RECORD["run_id"],
    )
    for expected in words:
        assert expected in page, expected
    best = study.summary[study.summary["model_evaluations"] <= 3].sort_values("kid").iloc[0]
    assert f"<td><b>{best['cell']}</b>" in page
    assert f"{best['kid']:.3f}" in page


def test_the_page_asks_for_nothing_from_outside_and_escapes_what_is_the_users(page):
    own = without_scripts(page)
    assert not re.findall(r"(?:src|href)=[\"'](?!data:)", own)
    assert "a &lt;b&gt;note&lt;/b&gt;" in own
    assert "<i>knight</i>" not in own


def test_every_cell_is_in_the_table(page, study):
    rows = re.findall(r"<tr>", without_scripts(page)[without_scripts(page).index("All cells") :])
    assert len(rows) == 1 + len(study.summary)


def test_a_study_without_a_comparison_or_known_classes_has_a_page_too(study):
    alone = study.options.model_copy(update={"equal_evaluations": None})
    unknown = study.summary.assign(agrees=np.nan, agrees_error=np.nan, clip_score=np.nan, clip_score_error=np.nan)
    page = without_scripts(page_of(study, study=alone, summary=unknown))
    assert "at equal model evaluations" not in page
    assert not re.search(r"\bnan\b", page)


def test_notes_tell_what_was_left_out_and_what_is_not_as_expected(study):
    garments = study.preset.model_copy(update={"model": "embedded:generator"})
    wrong = study.timings.assign(counted_evaluations=study.timings["counted_evaluations"] + (study.timings.index == 3))
    unknown = study.summary.assign(agrees=np.nan)
    left_out, scorer, counted = find_study_notes(unknown, wrong, study.options, study.judging, garments)
    assert left_out.startswith("Left out: <i>knight</i>. The generator was only ever taught t-shirt")
    assert "was never taught these classes" in scorer
    assert "model evaluations were counted where" in counted
    assert find_study_notes(study.summary, study.timings, study.options, study.judging, study.preset) == []


def test_extra_prompts_without_a_score_are_mentioned(study):
    judging = study.judging.model_copy(update={"clip_model": "embedded:clip"})
    (note,) = find_study_notes(study.summary, study.timings, study.options, judging, study.preset)
    assert note == "The scorer embedded:clip only knows its classes: extra prompts have no CLIP score."
