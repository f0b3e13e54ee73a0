"""The study's plot: agreement, similarity and diversity over strength."""

import math

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from diffaug_pipeline.evaluation.figures import FONT
from diffaug_pipeline.strength_study.recommendation import Recommendation
from diffaug_pipeline.strength_study.summary import Sources

BLUE, ORANGE, VIOLET, TEAL, GREEN, GRAY = "#2563eb", "#d97706", "#7c3aed", "#0d9488", "#15803d", "#64748b"
BAND = 0.02
"""Half the width of what marks a recommended strength."""
PANELS = ("class agreement, %", "similarity to the source", "diversity")


def draw_measures(summary: pd.DataFrame, sources: Sources, recommendation: Recommendation) -> go.Figure:
    """Three panels one above the other, with intervals; dashed is what real images are, green what is recommended."""
    figure = make_subplots(rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    _add_line(figure, 1, summary, "agreement", "class agreement", BLUE, scale=100)
    _add_line(figure, 2, summary, "clip_similarity", "CLIP similarity", ORANGE)
    _add_line(figure, 2, summary, "ssim", "SSIM", VIOLET)
    _add_line(figure, 3, summary, "diversity", "diversity", TEAL)
    _add_reference(figure, 1, 100 * sources.agreement.mean, "real sources")
    if not math.isnan(sources.diversity):
        _add_reference(figure, 3, sources.diversity, "real images of one class")
    for strength in recommendation.strengths:
        band = {"x0": strength - BAND, "x1": strength + BAND}
        figure.add_vrect(**band, fillcolor=GREEN, opacity=0.12, line_width=0, layer="below")
    figure.update_layout(
        template="simple_white",
        height=640,
        margin={"l": 10, "r": 20, "t": 30, "b": 10},
        font=FONT,
        legend={"orientation": "h", "y": 1.06, "x": 0},
        paper_bgcolor="white",
    )
    for row, title in enumerate(PANELS, start=1):
        figure.update_yaxes(title=title, row=row, col=1, automargin=True)
    figure.update_xaxes(gridcolor="#e2e8f0", showgrid=True, automargin=True)
    figure.update_xaxes(title="strength", row=3, col=1)
    return figure


def _add_line(
    figure: go.Figure, row: int, summary: pd.DataFrame, measure: str, title: str, color: str, scale: float = 1
) -> None:
    values = scale * summary[measure]
    figure.add_scatter(
        x=summary["strength"],
        y=values,
        name=title,
        mode="lines+markers",
        line={"color": color, "width": 2.5},
        error_y={
            "array": scale * summary[f"{measure}_high"] - values,
            "arrayminus": values - scale * summary[f"{measure}_low"],
            "thickness": 1.5,
            "width": 4,
        },
        hovertemplate=f"{title} at strength %{{x}}: %{{y:.3g}}<extra></extra>",
        row=row,
        col=1,
    )


def _add_reference(figure: go.Figure, row: int, value: float, title: str) -> None:
    figure.add_hline(
        y=value,
        line={"dash": "dash", "color": GRAY, "width": 1.5},
        annotation={"text": title, "font": {"size": 11, "color": GRAY}},
        annotation_position="top right",
        row=row,
        col=1,
    )
