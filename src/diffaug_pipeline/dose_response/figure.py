"""The study's plot: what each dose gains, and the learning curve over real images that puts it in proportion."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from diffaug_pipeline.evaluation.comparison import METRIC_TITLES
from diffaug_pipeline.evaluation.figures import FONT

BLUE, GREEN, GRAY = "#2563eb", "#15803d", "#64748b"
CURVE_POINTS = 60


def draw_dose_response(document: dict[str, Any]) -> go.Figure:
    """From the document of `dose_response.findings`; green is the dose to use."""
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.12)
    _add_doses(figure, document)
    _add_learning_curve(figure, document)
    metric = METRIC_TITLES[document["metric"]]
    figure.update_layout(
        template="simple_white",
        height=380,
        margin={"l": 10, "r": 20, "t": 40, "b": 10},
        font=FONT,
        legend={"orientation": "h", "y": 1.12, "x": 0},
        paper_bgcolor="white",
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True, gridcolor="#e2e8f0", showgrid=True)
    figure.update_xaxes(title="synthetic images per real one in a batch", type="category", row=1, col=1)
    figure.update_yaxes(title=f"gain in {metric}, points", row=1, col=1)
    figure.update_xaxes(title="real training images", row=1, col=2)
    figure.update_yaxes(title=f"{metric}, %", row=1, col=2)
    return figure


def _add_doses(figure: go.Figure, document: dict[str, Any]) -> None:
    doses = document["doses"]
    names, gains = [f"{dose['ratio']:g}" for dose in doses], [dose["gain"] for dose in doses]
    means = [100 * gain["mean"] for gain in gains]
    figure.add_hline(y=0, line={"color": GRAY, "width": 1}, row=1, col=1)
    figure.add_scatter(
        x=[name for name, gain in zip(names, gains, strict=True) for _ in gain["values"]],
        y=[100 * value for gain in gains for value in gain["values"]],
        name="one seed",
        mode="markers",
        marker={"color": BLUE, "size": 6, "opacity": 0.3},
        hovertemplate="one seed: %{y:+.1f} points<extra></extra>",
        row=1,
        col=1,
    )
    figure.add_scatter(
        x=names,
        y=means,
        name=f"mean, {document['confidence']:.0%} interval",
        mode="lines+markers",
        line={"color": BLUE, "width": 2.5},
        error_y=_bars([gain["interval"] for gain in gains], means),
        hovertemplate="ratio %{x}: %{y:+.1f} points<extra></extra>",
        row=1,
        col=1,
    )
    chosen = next(number for number, dose in enumerate(doses) if dose["ratio"] == document["chosen_ratio"])
    figure.add_scatter(
        x=[names[chosen]],
        y=[means[chosen]],
        name="dose to use",
        mode="markers",
        marker={"color": GREEN, "size": 15, "symbol": "diamond"},
        hovertemplate="dose to use: ratio %{x}<extra></extra>",
        row=1,
        col=1,
    )


def _add_learning_curve(figure: go.Figure, document: dict[str, Any]) -> None:
    points, law = document["learning_curve"]["points"], document["learning_curve"]["power_law"]
    sizes, means = [point["real_images"] for point in points], [100 * point["mean"] for point in points]
    figure.add_scatter(
        x=sizes,
        y=means,
        name="real images alone",
        mode="markers",
        marker={"color": GRAY, "size": 9},
        error_y=_bars([point["interval"] for point in points], means),
        hovertemplate="%{x} real images: %{y:.1f} %<extra></extra>",
        row=1,
        col=2,
    )
    last = sizes[-1]
    if law is not None:
        shown = document["worth"]["images"] or last // 2
        for name, dash, images in (
            ("power law", "solid", np.linspace(sizes[0], last, CURVE_POINTS)),
            ("extrapolated", "dot", np.linspace(last, last + 1.2 * shown, CURVE_POINTS)),
        ):
            figure.add_scatter(
                x=images.tolist(),
                y=(100 * (1 - law["asymptote"] - law["scale"] * (images / last) ** -law["exponent"])).tolist(),
                name=name,
                mode="lines",
                line={"color": GRAY, "width": 1.5, "dash": dash},
                hoverinfo="skip",
                row=1,
                col=2,
            )
    chosen = next(dose for dose in document["doses"] if dose["ratio"] == document["chosen_ratio"])
    if chosen["ratio"]:
        figure.add_hline(
            y=100 * chosen["mean"],
            line={"color": GREEN, "width": 1.5, "dash": "dash"},
            annotation={"text": "the dose to use", "font": {"size": 11, "color": GREEN}},
            row=1,
            col=2,
        )


def _bars(intervals: list[list[float]], means: list[float]) -> dict[str, Any]:
    """Error bars from intervals of shares around means in percent."""
    return {
        "array": [100 * high - mean for (_, high), mean in zip(intervals, means, strict=True)],
        "arrayminus": [mean - 100 * low for (low, _), mean in zip(intervals, means, strict=True)],
        "thickness": 1.5,
        "width": 4,
    }
