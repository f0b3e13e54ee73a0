import plotly.graph_objects as go
import pytest
from evaluation.report_cases import RUN_RECORD
from jinja2 import UndefinedError

from diffaug_pipeline.evaluation.pages import FILTERS, render_html

EVALUATION = "diffaug_pipeline.evaluation"


def test_every_page_carries_its_style_its_plots_and_its_run():
    page = render_html(EVALUATION, "page.html.jinja", {}, RUN_RECORD | {"run_id": "<b>mine</b>"})
    assert ".verdict {" in page
    assert "plotly.js v" in page
    assert "&lt;b&gt;mine&lt;/b&gt;" in page
    assert RUN_RECORD["attempts"][-1]["code"]["commit"] in page


def test_templates_of_other_packages_build_on_the_shared_one():
    with pytest.raises(UndefinedError, match="compared"):
        render_html(
            "diffaug_pipeline.scheduler_study",
            "scheduler_study.html.jinja",
            {"quality": go.Figure()},
            RUN_RECORD,
            choices=[],
        )


def test_numbers_as_people_read_them():
    assert FILTERS["percent"](0.1234) == "12.3"
    assert FILTERS["percent"](None) == "–"
    assert FILTERS["points"](0.01) == "+1.0"
    assert FILTERS["thousands"](12_345) == "12,345"
