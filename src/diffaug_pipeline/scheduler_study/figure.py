"""Quality against model evaluations, one line per sampler, as a plotly figure that kedro-viz shows too."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import qualitative

from diffaug_pipeline.evaluation.figures import FONT
from diffaug_pipeline.scheduler_study.cells import LONG_RUN
from diffaug_pipeline.scheduler_study.summary import pareto_front


@dataclass(frozen=True)
class Measure:
    """A column of the summary that may stand on the y axis."""

    title: str
    smaller_is_better: bool


MEASURES = {
    "kid": Measure("kernel distance (KID) to real images", smaller_is_better=True),
    "distance": Measure("pixel distance (RMSE) to the long run", smaller_is_better=True),
    "similarity": Measure("CLIP similarity to the long run", smaller_is_better=False),
    "clip_score": Measure("CLIP score", smaller_is_better=False),
    "agrees": Measure("share that CLIP takes for their class", smaller_is_better=False),
}
INK = "#0f172a"
TICKS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]


def draw_quality(summary: pd.DataFrame, timings: pd.DataFrame) -> go.Figure:
    """A menu chooses the measure; samplers that add noise are dashed.

    The front joins the cells that no other beats for as many evaluations or fewer.
    """
    rows = summary.merge(timings, on="cell", how="left")
    cells, long_run = rows[rows["cell"] != LONG_RUN], rows[rows["cell"] == LONG_RUN]
    samplers = [of_sampler for _, of_sampler in cells.groupby("sampler", sort=False)]
    shown = [measure for measure in MEASURES if cells[measure].notna().any()]
    figure = go.Figure()
    for number, of_sampler in enumerate(samplers):
        dash = "dash" if of_sampler["is_stochastic"].all() else "solid"
        line = {"color": qualitative.Dark24[number % 24], "width": 1.8, "dash": dash}
        figure.add_scatter(name=of_sampler["sampler"].iloc[0], mode="lines+markers", line=line, **_hover(of_sampler))
    star = {"color": INK, "size": 11, "symbol": "star"}
    figure.add_scatter(name=LONG_RUN, mode="markers", marker=star, **_hover(long_run))
    ring = {"size": 14, "symbol": "circle-open", "line": {"width": 2}}
    dotted = {"color": INK, "width": 1, "dash": "dot"}
    figure.add_scatter(name="Pareto front", mode="lines+markers", hoverinfo="skip", line=dotted, marker=ring)
    views = [_view(measure, samplers, cells, long_run) for measure in shown]
    for trace, x, y in zip(figure.data, *views[0]["args"][0].values(), strict=True):
        trace.update(x=x, y=y)
    _arrange(figure, views)
    return figure


def _view(measure: str, samplers: list[pd.DataFrame], cells: pd.DataFrame, long_run: pd.DataFrame) -> dict[str, Any]:
    """An entry of the menu: what it makes of the traces, and of the axis."""
    sign = 1 if MEASURES[measure].smaller_is_better else -1
    is_on_front = pareto_front(cells["model_evaluations"].to_numpy(), sign * cells[measure].to_numpy())
    traces = [*samplers, long_run, cells[is_on_front].sort_values("model_evaluations")]
    return {
        "label": MEASURES[measure].title,
        "method": "update",
        "args": [
            {
                "x": [rows["model_evaluations"].tolist() for rows in traces],
                "y": [rows[measure].tolist() for rows in traces],
            },
            {"yaxis.title.text": MEASURES[measure].title},
        ],
    }


def _hover(rows: pd.DataFrame) -> dict[str, Any]:
    return {"text": [_describe(row) for row in rows.to_dict("records")], "hovertemplate": "%{text}<extra></extra>"}


def _describe(row: dict[str, Any]) -> str:
    lines = [f"<b>{row['cell']}</b>", f"{row['model_evaluations']} model evaluations"]
    if not np.isnan(row["seconds_per_image"]):
        lines.append(f"{1000 * row['seconds_per_image']:.0f} ms per image")
    lines += [
        f"{measure.title}: {row[name]:.3f} ± {row[f'{name}_error']:.3f}"
        for name, measure in MEASURES.items()
        if not np.isnan(row[name])
    ]
    return "<br>".join(lines)


def _arrange(figure: go.Figure, views: list[dict[str, Any]]) -> None:
    figure.update_layout(
        template="simple_white",
        height=560,
        margin={"l": 10, "r": 10, "t": 50, "b": 10},
        font=FONT,
        paper_bgcolor="white",
        hoverlabel={"align": "left", "bgcolor": "white"},
        updatemenus=[{"buttons": views, "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"}],
    )
    figure.update_xaxes(
        title="model evaluations per image",
        type="log",
        tickvals=TICKS,
        gridcolor="#e2e8f0",
        showgrid=True,
        automargin=True,
    )
    figure.update_yaxes(title=views[0]["label"], gridcolor="#e2e8f0", showgrid=True, automargin=True)
