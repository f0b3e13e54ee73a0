"""The study as one HTML page: what to choose first, then everything it rests on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from PIL import Image

from diffaug_pipeline.evaluation.galleries import large_source
from diffaug_pipeline.evaluation.pages import render_html
from diffaug_pipeline.features.options import ScorerOptions
from diffaug_pipeline.scheduler_study.cells import LONG_RUN
from diffaug_pipeline.scheduler_study.choices import (
    choose_for_budgets,
    compare_at_equal_evaluations,
    describe_outcomes,
)
from diffaug_pipeline.scheduler_study.options import SchedulerStudyOptions
from diffaug_pipeline.scheduler_study.plan import extra_prompts
from diffaug_pipeline.scheduler_study.scores import REAL
from diffaug_pipeline.synthesis.known_classes import classes_taught
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions


@dataclass(frozen=True)
class StudyContent:
    """Everything the page shows."""

    plan: pd.DataFrame
    scores: pd.DataFrame
    kernel_distances: pd.DataFrame
    summary: pd.DataFrame
    timings: pd.DataFrame
    quality_figure: go.Figure
    contact_sheet: Image.Image
    study: SchedulerStudyOptions
    judging: ScorerOptions
    synthesis: SynthesisOptions
    notes: list[str]
    run_record: dict[str, Any]


def render_study(content: StudyContent) -> str:
    """The page; all text of the user's is escaped."""
    duels = compare_at_equal_evaluations(content.scores, content.kernel_distances, content.study)
    rows = content.summary.merge(content.timings, on="cell").to_dict("records")
    floor = content.kernel_distances.set_index("cell").loc[REAL]
    return render_html(
        "diffaug_pipeline.scheduler_study",
        "scheduler_study.html.jinja",
        {"quality": content.quality_figure},
        content.run_record,
        content=content,
        study=content.study,
        settings=content.plan.iloc[0],
        rows={row["cell"]: row for row in rows},
        long_run=LONG_RUN,
        draws=content.plan["draw"].nunique(),
        compared=int((~content.plan.loc[content.plan["cell"] == LONG_RUN, "is_extra"]).sum()),
        choices=choose_for_budgets(content.summary, content.kernel_distances, content.study),
        duels=duels,
        outcomes={measure: describe_outcomes(duels, measure) for measure in ("kid", "distance")} if duels else {},
        floor={"mean": floor["kid"], "spread": float(np.std(floor["over_halves"], ddof=1))},
        contact_sheet=large_source(content.contact_sheet),
    )


def find_study_notes(
    summary: pd.DataFrame,
    timings: pd.DataFrame,
    study: SchedulerStudyOptions,
    judging: ScorerOptions,
    preset: GeneratorPreset,
) -> list[str]:
    """What was left out, and what did not turn out as it should."""
    notes = []
    if left_out := [prompt for prompt in study.extra_prompts if prompt not in extra_prompts(study, preset)]:
        taught = ", ".join(classes_taught(preset.model))
        notes.append(f"Left out: {', '.join(left_out)}. The generator was only ever taught {taught}.")
    if summary["agrees"].isna().all():
        notes.append(
            f"The scorer {judging.clip_model} was never taught these classes: its scores, and with them the kernel "
            "distance, mean little. Choose another scheduler_study.judging.clip_model, e.g. "
            "openai/clip-vit-base-patch32."
        )
    elif extra_prompts(study, preset) and classes_taught(judging.clip_model) is not None:
        notes.append(f"The scorer {judging.clip_model} only knows its classes: extra prompts have no CLIP score.")
    counted = summary.merge(timings, on="cell")
    wrong = counted[counted["model_evaluations"] != counted["counted_evaluations"]]
    notes += [
        f"{row.cell}: {row.counted_evaluations} model evaluations were counted where {row.model_evaluations} are "
        "expected; trust the seconds."
        for row in wrong.itertuples()
    ]
    return notes
