"""The study's page: which strengths to use on this dataset, then what that rests on."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from PIL import Image

from diffaug_pipeline.evaluation.galleries import large_source
from diffaug_pipeline.evaluation.pages import render_html
from diffaug_pipeline.strength_study.options import StrengthStudyOptions
from diffaug_pipeline.strength_study.recommendation import Recommendation
from diffaug_pipeline.strength_study.summary import Sources


@dataclass(frozen=True)
class StrengthContent:
    """Everything the page shows."""

    summary: pd.DataFrame
    sources: Sources
    recommendation: Recommendation
    options: StrengthStudyOptions
    near_duplicate_distance: float
    figure: go.Figure
    contact_sheet: Image.Image
    notes: list[str]
    dataset: str
    run_record: dict[str, Any]


def render_page(content: StrengthContent) -> str:
    """The page as one HTML file."""
    return render_html(
        "diffaug_pipeline.strength_study",
        "strength_study.html.jinja",
        {"strength": content.figure},
        content.run_record,
        content=content,
        rows=content.summary.to_dict("records"),
        contact_sheet=large_source(content.contact_sheet),
    )
