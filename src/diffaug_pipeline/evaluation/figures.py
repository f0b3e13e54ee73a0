"""The report's plots, as plotly figures that kedro-viz shows too."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from diffaug_pipeline.evaluation.comparison import BASELINE, METRIC_TITLES, TREATMENT

COLORS = {
    "real_only": "#64748b",
    "augmented": "#2563eb",
    "random_filtered": "#d97706",
    "synthetic_only": "#7c3aed",
    "copy_paste": "#0d9488",
}
CLASS_METRIC_TITLES = {
    "top1_accuracy": "recall",
    "macro_f1": "recall",
    "map_50_95": "AP50-95",
    "map_50": "AP50-95",
}
"""What is compared per class, by what the verdict is about."""
CURVES = {"val_accuracy": "validation accuracy, %", "val_map_50_95": "validation mAP50-95, %"}
"""What a training history may hold to be drawn."""
UP, DOWN, UNDECIDED = "#15803d", "#b91c1c", "#64748b"
FONT = {"family": "system-ui, sans-serif", "size": 13, "color": "#1e293b"}


def draw_arms(comparison: dict[str, Any]) -> go.Figure:
    """Each arm's metric on real test images: mean, interval, and every seed."""
    figure = go.Figure()
    arms = list(comparison["arms"])
    for arm in reversed(arms):
        result = comparison["arms"][arm]
        low, high = (100 * bound for bound in result["interval"])
        mean, color = 100 * result["mean"], COLORS.get(arm, "#334155")
        figure.add_scatter(
            x=[100 * value for value in result["values"]],
            y=[arm] * len(result["values"]),
            mode="markers",
            marker={"color": color, "size": 7, "opacity": 0.35},
            hovertemplate="one seed: %{x:.1f} %<extra></extra>",
        )
        figure.add_scatter(
            x=[mean],
            y=[arm],
            mode="markers",
            marker={"color": color, "size": 13, "symbol": "diamond"},
            error_x={"array": [high - mean], "arrayminus": [mean - low], "thickness": 2.5, "width": 7, "color": color},
            hovertemplate=f"mean %{{x:.1f}} %, interval {low:.1f} to {high:.1f}<extra></extra>",
        )
    if comparison["zero_shot"] is not None:
        place = 100 * comparison["zero_shot"]["mean"]
        figure.add_scatter(
            x=[place, place],
            y=[arms[-1], arms[0]],
            mode="lines+text",
            text=["", "zero-shot CLIP "],
            textposition="top left",
            textfont={"color": "#64748b", "size": 11},
            line={"dash": "dot", "color": "#64748b"},
            hovertemplate=f"zero-shot CLIP: {place:.1f} %<extra></extra>",
        )
    return _finish(figure, f"{METRIC_TITLES[comparison['metric']]} on real test images, %", 90 + 60 * len(arms))


def draw_per_class(comparison: dict[str, Any]) -> go.Figure:
    """Difference per class with its interval, largest gain first."""
    rows = sorted(comparison["per_class"].items(), key=lambda item: item[1]["mean"])
    means = [100 * result["mean"] for _, result in rows]
    lows = [100 * result["interval"][0] for _, result in rows]
    highs = [100 * result["interval"][1] for _, result in rows]
    figure = go.Figure(
        go.Bar(
            x=means,
            y=[name for name, _ in rows],
            orientation="h",
            marker_color=[_direction(low, high) for low, high in zip(lows, highs, strict=True)],
            error_x={
                "array": [high - mean for high, mean in zip(highs, means, strict=True)],
                "arrayminus": [mean - low for low, mean in zip(lows, means, strict=True)],
                "color": "#334155",
                "thickness": 1.5,
            },
            customdata=[[100 * result[BASELINE], 100 * result[TREATMENT]] for _, result in rows],
            hovertemplate="%{y}: %{customdata[0]:.1f} % → %{customdata[1]:.1f} %, %{x:+.1f} points<extra></extra>",
        )
    )
    figure.add_vline(x=0, line={"color": "#334155", "width": 1})
    title = CLASS_METRIC_TITLES[comparison["metric"]]
    return _finish(figure, f"{title}, augmented minus real-only, points", 110 + 26 * len(rows))


def draw_learning_curves(histories: dict[str, pd.DataFrame]) -> go.Figure:
    """Quality on real validation images while training: mean and range over seeds; `histories` has one at least."""
    figure = go.Figure()
    column = next(column for column in CURVES if all(column in history for history in histories.values()))
    for arm, history in histories.items():
        quality = 100 * history.groupby("step")[column].agg(["mean", "min", "max"])
        color = COLORS.get(arm, "#334155")
        figure.add_scatter(
            x=[*quality.index, *quality.index[::-1]],
            y=[*quality["max"], *quality["min"][::-1]],
            fill="toself",
            fillcolor=color,
            opacity=0.12,
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=quality.index,
            y=quality["mean"],
            name=arm,
            mode="lines+markers",
            line={"color": color, "width": 2.5},
            hovertemplate=f"{arm}, step %{{x}}: %{{y:.1f}} %<extra></extra>",
        )
    figure = _finish(figure, "optimisation steps", 340)
    figure.update_yaxes(title=CURVES[column])
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.12, "x": 0})
    return figure


def _direction(low: float, high: float) -> str:
    return UP if low > 0 else DOWN if high < 0 else UNDECIDED


def _finish(figure: go.Figure, x_title: str, height: int) -> go.Figure:
    figure.update_layout(
        template="simple_white",
        height=height,
        margin={"l": 10, "r": 20, "t": 30, "b": 10},
        font=FONT,
        showlegend=False,
        paper_bgcolor="white",
    )
    figure.update_xaxes(title=x_title, gridcolor="#e2e8f0", showgrid=True, automargin=True)
    figure.update_yaxes(automargin=True)
    return figure
