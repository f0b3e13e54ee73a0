"""The study's plots."""

from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from diffaug_pipeline.evaluation.comparison import METRIC_TITLES
from diffaug_pipeline.evaluation.figures import COLORS, DOWN, FONT, UNDECIDED, UP

OTHER_COLOR, LINE_COLOR, GRID_COLOR = "#334155", "#334155", "#e2e8f0"
CLEAN_TITLE, MEAN_TITLE = "clean", "mean of all"


def draw_robustness(document: dict[str, Any]) -> go.Figure:
    """Left each arm's metric on clean images and under each corruption, right augmented minus real_only."""
    rows = {CLEAN_TITLE: document["clean"], MEAN_TITLE: document["corrupted"]} | {
        name.replace("_", " "): result for name, result in document["corruptions"].items()
    }
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.04)
    for arm in document["clean"]["arms"]:
        _add_arm(figure, arm, {title: result["arms"][arm] for title, result in rows.items()})
    _add_differences(figure, {title: result["difference"] for title, result in rows.items()})
    figure.add_vline(x=0, line={"color": LINE_COLOR, "width": 1}, row=1, col=2)
    _finish(figure, 150 + 28 * len(rows))
    figure.update_yaxes(categoryorder="array", categoryarray=list(rows)[::-1])
    figure.update_xaxes(title=f"{METRIC_TITLES[document['metric']]}, %", row=1, col=1)
    figure.update_xaxes(title="augmented minus real_only, points", row=1, col=2)
    return figure


def _add_arm(figure: go.Figure, arm: str, results: dict[str, dict[str, Any]]) -> None:
    figure.add_scatter(
        x=[100 * result["mean"] for result in results.values()],
        y=list(results),
        name=arm,
        mode="markers",
        marker={"color": COLORS.get(arm, OTHER_COLOR), "size": 10, "symbol": "diamond"},
        hovertemplate=f"{arm}, %{{y}}: %{{x:.1f}} %<extra></extra>",
        row=1,
        col=1,
    )


def _add_differences(figure: go.Figure, results: dict[str, dict[str, Any]]) -> None:
    means, lows, highs = (
        [100 * value for value in values]
        for values in zip(*((result["mean"], *result["interval"]) for result in results.values()), strict=True)
    )
    figure.add_bar(
        x=means,
        y=list(results),
        orientation="h",
        showlegend=False,
        marker_color=[
            UP if low > 0 else DOWN if high < 0 else UNDECIDED for low, high in zip(lows, highs, strict=True)
        ],
        error_x={
            "array": [high - mean for high, mean in zip(highs, means, strict=True)],
            "arrayminus": [mean - low for low, mean in zip(lows, means, strict=True)],
            "color": LINE_COLOR,
            "thickness": 1.5,
        },
        hovertemplate="%{y}: %{x:+.1f} points<extra></extra>",
        row=1,
        col=2,
    )


def draw_reliability(document: dict[str, Any]) -> go.Figure:
    """Above accuracy over confidence, on the dashed line where both agree; below how many answers are so confident."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.75, 0.25], vertical_spacing=0.05)
    dashes = {"dash": "dash", "color": UNDECIDED, "width": 1.5}
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line=dashes, showlegend=False, hoverinfo="skip", row=1, col=1
    )
    for arm, calibration in document["calibration"]["arms"].items():
        _add_reliability(figure, arm, calibration["reliability"])
    _finish(figure, 460)
    figure.update_yaxes(title="right, %", row=1, col=1)
    figure.update_yaxes(title="answers, %", row=2, col=1)
    figure.update_xaxes(title="confidence, %", row=2, col=1)
    return figure


def _add_reliability(figure: go.Figure, arm: str, bins: list[dict[str, Any]]) -> None:
    filled, color = [row for row in bins if row["answers"]], COLORS.get(arm, OTHER_COLOR)
    figure.add_scatter(
        x=[100 * row["confidence"] for row in filled],
        y=[100 * row["accuracy"] for row in filled],
        customdata=[row["answers"] for row in filled],
        name=arm,
        mode="lines+markers",
        line={"color": color, "width": 2.5},
        hovertemplate=f"{arm}: %{{x:.0f}} % confident, %{{y:.0f}} % right, %{{customdata:,}} answers<extra></extra>",
        row=1,
        col=1,
    )
    total = max(1, sum(row["answers"] for row in bins))
    figure.add_bar(
        x=[50 * (row["low"] + row["high"]) for row in bins],
        y=[100 * row["answers"] / total for row in bins],
        showlegend=False,
        marker_color=color,
        hovertemplate=f"{arm}: %{{y:.1f}} % of answers<extra></extra>",
        row=2,
        col=1,
    )


def _finish(figure: go.Figure, height: int) -> None:
    figure.update_layout(
        template="simple_white",
        height=height,
        margin={"l": 10, "r": 20, "t": 30, "b": 10},
        font=FONT,
        paper_bgcolor="white",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    figure.update_xaxes(gridcolor=GRID_COLOR, showgrid=True, automargin=True)
    figure.update_yaxes(gridcolor=GRID_COLOR, showgrid=True, automargin=True)
