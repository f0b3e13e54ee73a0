"""What all HTML pages share: one file that asks for nothing from outside, its style, plots, and how the run is told."""

import json
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

FILTERS = {
    "percent": lambda share, digits=1: "–" if share is None else f"{100 * share:.{digits}f}",
    "points": lambda share: f"{100 * share:+.1f}",
    "thousands": lambda number: f"{number:,}",
}


def render_html(
    package: str, template: str, figures: Mapping[str, go.Figure], run_record: dict[str, Any], **content: Any
) -> str:
    """A page from `template` of `package`, which extends `page.html.jinja`; all text of the user's is escaped.

    The template finds what is in `content` by name, and each of `figures` as HTML: `{{ figures["name"] | safe }}`.
    """
    return (
        _environment(package)
        .get_template(template)
        .render(
            figures={name: _figure_html(name, figure) for name, figure in figures.items()},
            plotly=get_plotlyjs(),
            run_record=run_record,
            attempt=run_record["attempts"][-1],
            configuration=json.dumps(run_record.get("parameters", {}), indent=2, default=str),
            **content,
        )
    )


def render_fragment(package: str, template: str, figures: Mapping[str, go.Figure], **content: Any) -> str:
    """A part of a page, which brings plotly and the style: `template` of `package`, filled as by `render_html`."""
    drawn = {name: _figure_html(name, figure) for name, figure in figures.items()}
    return _environment(package).get_template(template).render(figures=drawn, **content)


def _environment(package: str) -> Environment:
    """Finds templates of `package` first, then those all pages share."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("diffaug_pipeline.evaluation")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment


def _figure_html(name: str, figure: go.Figure) -> str:
    return figure.to_html(
        include_plotlyjs=False, full_html=False, div_id=name, config={"displayModeBar": False, "responsive": True}
    )
