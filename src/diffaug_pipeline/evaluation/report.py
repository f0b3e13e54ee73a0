"""One offline HTML file: the verdict first, then everything it rests on."""

import base64
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image
from plotly.offline import get_plotlyjs

from diffaug_pipeline.evaluation.comparison import METRIC_TITLES
from diffaug_pipeline.filtering.decisions import RULES
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import open_image

GALLERY_PX = 160
STAGES = ("ingestion", "prompts", "synthesis", "filtering", "merging", "training", "evaluation")
ARM_DESCRIPTIONS = {
    "real_only": "real training images, traditional augmentation",
    "augmented": "the same, mixed with accepted synthetic images",
    "random_filtered": "as many synthetic images, drawn at random instead of filtered",
    "synthetic_only": "accepted synthetic images alone",
}
RULE_DESCRIPTIONS = {
    "clip_score": "fits its class sentence worse than real training images do",
    "zero_shot": "looks like another class to CLIP, or less clearly like its own than real ones do",
}


@dataclass(frozen=True)
class ReportContent:
    """Everything the page shows."""

    comparison: dict[str, Any]
    metrics: dict[str, Any]
    figures: dict[str, go.Figure]
    real_images: ImageSet
    synthetic_images: ImageSet
    decisions: pd.DataFrame
    calibration: dict[str, Any]
    ingestion_report: dict[str, Any]
    run_record: dict[str, Any]
    warnings: list[str]
    notes: list[str]
    gallery_images: int


def render_report(content: ReportContent) -> str:
    """The page; all text of the user's is escaped."""
    environment = Environment(
        loader=PackageLoader("diffaug_pipeline.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda share, digits=1: f"{100 * share:.{digits}f}"
    environment.filters["points"] = lambda share: f"{100 * share:+.1f}"
    environment.filters["thousands"] = lambda number: f"{number:,}"
    page = environment.get_template("report.html.jinja")
    return page.render(
        content=content,
        comparison=content.comparison,
        metric_titles=METRIC_TITLES,
        arm_descriptions=ARM_DESCRIPTIONS,
        rule_descriptions=RULE_DESCRIPTIONS,
        figures={name: _figure_html(name, figure) for name, figure in content.figures.items()},
        plotly=get_plotlyjs(),
        galleries=_galleries(content),
        yields=_yields(content.decisions),
        costs=summarize_costs(content.run_record, content.decisions),
        configuration=json.dumps(content.run_record.get("parameters", {}), indent=2, default=str),
        attempt=content.run_record["attempts"][-1],
    )


def summarize_costs(run_record: dict[str, Any], decisions: pd.DataFrame) -> dict[str, Any]:
    """What this run spent: seconds per stage, images per second, and seconds per accepted image.

    Of a run that was interrupted, the nodes that ran again and the images made then are counted.
    """
    stages = dict.fromkeys(STAGES, 0.0)
    made = making_seconds = reused = kept = 0.0
    for node in run_record.get("nodes", {}).values():
        for stage in node["tags"]:
            stages[stage] = stages.get(stage, 0.0) + node["seconds"]
        for name, output in node["outputs"].items():
            if name.endswith(".synthetic_images"):
                made += output.get("images_made", 0)
                reused += output.get("images_reused", 0)
                kept += output.get("images_kept", 0)
                making_seconds += output.get("seconds_making", 0)
    accepted = int(decisions["accepted"].sum())
    return {
        "stages": {stage: seconds for stage, seconds in stages.items() if seconds},
        "images_made": int(made),
        "images_kept": int(kept),
        "images_reused": int(reused),
        "attempts": len(run_record.get("attempts", [])),
        "images_per_second": made / making_seconds if making_seconds else None,
        "accepted": accepted,
        "decided": len(decisions),
        "seconds_per_accepted": making_seconds / made * len(decisions) / accepted if accepted and made else None,
    }


def _figure_html(name: str, figure: go.Figure) -> str:
    return figure.to_html(
        include_plotlyjs=False, full_html=False, div_id=name, config={"displayModeBar": False, "responsive": True}
    )


def _yields(decisions: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for label, of_class in decisions.groupby("label"):
        rejected = of_class["reason"].value_counts()
        rows.append(
            {
                "label": label,
                "made": len(of_class),
                "accepted": int(of_class["accepted"].sum()),
                "rejected": {rule: int(rejected.get(rule, 0)) for rule in RULES},
            }
        )
    return rows


def _galleries(content: ReportContent) -> list[dict[str, Any]]:
    """Rows of pictures: real ones, the best and worst kept, the rejected by rule."""
    decisions, count = content.decisions, content.gallery_images
    kept = decisions[decisions["accepted"]].sort_values("clip_score", ascending=False)
    selections = [
        ("Best kept", "accepted, highest CLIP score", _one_per_class(kept, count)),
        ("Worst kept", "accepted, lowest CLIP score", _one_per_class(kept[::-1], count)),
    ]
    for rule in RULES:
        rejected = decisions[decisions["reason"] == rule].sort_values("clip_score")
        selections.append((f"Rejected by {rule}", RULE_DESCRIPTIONS[rule], _one_per_class(rejected, count)))
    train = content.real_images.where(split="train").index
    real = train.groupby("label", sort=True).head(max(1, count // max(1, train["label"].nunique()))).head(count)
    galleries = [
        {
            "title": "Real training images",
            "subtitle": "what the synthetic ones are measured against",
            "pictures": [
                {"source": _data_uri(row.path), "label": row.label, "caption": "", "prompt": row.image_id}
                for row in real.itertuples()
            ],
        }
    ]
    synthetic = content.synthetic_images.index.set_index("image_id")
    for title, subtitle, rows in selections:
        pictures = [
            {
                "source": _data_uri(synthetic.at[row.image_id, "path"]),
                "label": row.label,
                "caption": f"CLIP {row.clip_score:.2f} · margin {row.zero_shot_margin:+.2f}"
                + (f" · seen as {row.zero_shot_class}" if row.zero_shot_class != row.label else ""),
                "prompt": f"{synthetic.at[row.image_id, 'prompt']}, seed {synthetic.at[row.image_id, 'seed']}",
            }
            for row in rows.itertuples()
        ]
        galleries.append({"title": title, "subtitle": subtitle, "pictures": pictures})
    return galleries


def _one_per_class(ordered: pd.DataFrame, count: int) -> pd.DataFrame:
    """The first `count` rows, going round the classes so that none fills the row alone."""
    turn = ordered.groupby("label").cumcount()
    return ordered.assign(turn=turn).sort_values("turn", kind="stable").head(count)


def _data_uri(path: str) -> str:
    image = open_image(Path(path))
    if max(image.size) > GALLERY_PX:
        image.thumbnail((GALLERY_PX, GALLERY_PX), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
