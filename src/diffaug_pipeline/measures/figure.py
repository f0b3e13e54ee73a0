"""The measures per class, as a plotly figure that kedro-viz shows too."""

from typing import Any

import plotly.graph_objects as go

from diffaug_pipeline.evaluation.figures import FONT
from diffaug_pipeline.measures.catalogue import ACCEPTED, MADE, MEASURES, REAL, SETS, TITLES

COLORS = {REAL: "#64748b", MADE: "#d97706", ACCEPTED: "#2563eb"}
ALL = "all classes"
OFFSET = 0.22
"""Between the sets of a class; classes are 1 apart."""


def draw_measures(document: dict[str, Any]) -> go.Figure:
    """A row per class, in it a marker with its interval per set; a menu chooses the measure."""
    groups = {ALL: document, **document["per_class"]}
    figure = go.Figure()
    for number, name in enumerate(SETS):
        figure.add_scatter(
            name=TITLES[name],
            mode="markers",
            y=[row + OFFSET * (number - 1) for row in range(len(groups))],
            text=list(groups),
            marker={"color": COLORS[name], "size": 8},
            error_x={"color": COLORS[name], "thickness": 1.5, "width": 3},
            hovertemplate=f"%{{text}}, {TITLES[name]}: %{{x:.3g}}<extra></extra>",
        )
    views = [_view(measure, list(groups.values())) for measure in MEASURES]
    for trace, x, above, below in zip(figure.data, *views[0]["args"][0].values(), strict=True):
        trace.update(x=x, error_x={"array": above, "arrayminus": below})
    _arrange(figure, list(groups), views)
    return figure


def _view(measure: str, groups: list[dict[str, Any]]) -> dict[str, Any]:
    """An entry of the menu: what it makes of the traces, and of the axis."""
    title, scale = MEASURES[measure].title, MEASURES[measure].scale
    bars = [[_bar(group["sets"][name][measure], scale) for group in groups] for name in SETS]
    x, above, below = ([[bar[part] for bar in of_set] for of_set in bars] for part in range(3))
    return {
        "label": title,
        "method": "update",
        "args": [{"x": x, "error_x.array": above, "error_x.arrayminus": below}, {"xaxis.title.text": title}],
    }


def _bar(value: dict[str, float] | None, scale: float) -> tuple[float | None, float | None, float | None]:
    """The mean, and how far the interval reaches above and below it."""
    if value is None:
        return None, None, None
    mean = scale * value["mean"]
    return mean, scale * value["high"] - mean, mean - scale * value["low"]


def _arrange(figure: go.Figure, rows: list[str], views: list[dict[str, Any]]) -> None:
    figure.update_layout(
        template="simple_white",
        height=150 + 34 * len(rows),
        margin={"l": 10, "r": 20, "t": 50, "b": 10},
        font=FONT,
        paper_bgcolor="white",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        updatemenus=[{"buttons": views, "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"}],
    )
    figure.update_xaxes(title=views[0]["label"], gridcolor="#e2e8f0", showgrid=True, automargin=True)
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=rows, range=[len(rows) - 0.5, -0.5], automargin=True)
