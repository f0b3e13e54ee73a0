"""One offline HTML file: the verdict first, then everything it rests on. What all tasks' pages share."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from diffaug_pipeline.evaluation.comparison import METRIC_TITLES
from diffaug_pipeline.evaluation.galleries import Gallery
from diffaug_pipeline.evaluation.pages import render_html
from diffaug_pipeline.evaluation.sections import Section
from diffaug_pipeline.imaging.image_set import ImageSet

STAGES = (
    "ingestion",
    "references",
    "prompts",
    "synthesis",
    "labelling",
    "features",
    "auditing",
    "filtering",
    "measures",
    "merging",
    "training",
    "evaluation",
    "dose_response",
    "robustness",
)
MAKING = {"generated_images": "pictures generated", "synthetic_images": "synthetic images"}
"""Image sets of a task that cost time to make, and what they are called."""
ARM_DESCRIPTIONS = {
    "real_only": "real training images, traditional augmentation",
    "augmented": "the same, mixed with accepted synthetic images",
    "random_filtered": "as many synthetic images, drawn at random instead of filtered",
    "synthetic_only": "accepted synthetic images alone",
    "copy_paste": "real objects cut out and pasted onto real images",
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
    copies: pd.DataFrame
    """What the audit found, a row per synthetic image."""
    audit: str
    sections: list[Section]
    ingestion_report: dict[str, Any]
    run_record: dict[str, Any]
    warnings: list[str]
    notes: list[str]
    gallery_images: int


def render_page(
    task: str, content: ReportContent, galleries: list[Gallery], arm_columns: dict[str, str], **of_task: Any
) -> str:
    """The page.

    `arm_columns` are titles, by name, of the metrics shown beside that of the verdict; `of_task` is what only the
    template of this `task` asks for.
    """
    return render_html(
        "diffaug_pipeline.evaluation",
        f"{task}.html.jinja",
        content.figures,
        content.run_record,
        task=task,
        content=content,
        comparison=content.comparison,
        metric_titles=METRIC_TITLES,
        arm_descriptions=ARM_DESCRIPTIONS,
        arm_columns={name: title for name, title in arm_columns.items() if name != content.comparison["metric"]},
        galleries=galleries,
        costs=summarize_costs(content.run_record, content.decisions, task),
        **of_task,
    )


def summarize_costs(run_record: dict[str, Any], decisions: pd.DataFrame, task: str) -> dict[str, Any]:
    """What this run spent on `task`: seconds per stage, and images and speed per set of `MAKING`.

    An accepted image also pays for those that were rejected, at the speed of the images that were made. Of a run that
    was interrupted, the nodes that ran again and the images made then are counted.
    """
    nodes = {name: node for name, node in run_record.get("nodes", {}).items() if name.startswith(f"{task}.")}
    stages = dict.fromkeys(STAGES, 0.0)
    for node in nodes.values():
        for stage in node["tags"]:
            stages[stage] = stages.get(stage, 0.0) + node["seconds"]
    outputs = {name: output for node in nodes.values() for name, output in node["outputs"].items()}
    made = {
        title: _summarize_making(outputs[f"{task}.{name}"])
        for name, title in MAKING.items()
        if f"{task}.{name}" in outputs
    }
    accepted = int(decisions["accepted"].sum())
    seconds = [of_set["seconds"] for of_set in made.values()]
    return {
        "stages": {stage: seconds for stage, seconds in stages.items() if seconds},
        "made": made,
        "attempts": len(run_record.get("attempts", [])),
        "accepted": accepted,
        "decided": len(decisions),
        "seconds_per_accepted": sum(seconds) / accepted if accepted and all(seconds) else None,
    }


def _summarize_making(output: dict[str, Any]) -> dict[str, Any]:
    made, kept, reused = (output.get(f"images_{how}", 0) for how in ("made", "kept", "reused"))
    speed = made / output["seconds_making"] if output.get("seconds_making") else None
    return {
        "images_made": made,
        "images_kept": kept,
        "images_reused": reused,
        "images_per_second": speed,
        "seconds": (made + kept + reused) / speed if speed else None,
    }
