"""Folded parts of the report that stages and studies of their own contribute, each with its own template."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from diffaug_pipeline.evaluation.pages import render_fragment


@dataclass(frozen=True)
class Section:
    """A part of the report; folded, it shows its title and one sentence."""

    title: str
    summary: str
    """What a reader who does not unfold it should know."""
    html: Markup


def render_section(
    package: str, template: str, figures: Mapping[str, go.Figure], title: str, summary: str, **content: Any
) -> Section:
    """A section from `template` of `package`, which finds `figures` and `content` as a page's does (`pages`)."""
    return Section(title, summary, Markup(render_fragment(package, template, figures, **content)))
