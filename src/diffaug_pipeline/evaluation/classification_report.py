"""The report on classifiers."""

from pathlib import Path
from typing import Any

import pandas as pd

from diffaug_pipeline.evaluation.galleries import Gallery, Picture, in_turns, small_source
from diffaug_pipeline.evaluation.report import ReportContent, render_page
from diffaug_pipeline.filtering.decisions import RULES
from diffaug_pipeline.imaging.preparation import open_image

ARM_COLUMNS = {
    "top1_accuracy": "top-1 accuracy",
    "macro_f1": "macro F1",
    "expected_calibration_error": "calibration error",
}
RULE_DESCRIPTIONS = {
    "clip_score": "fits its class sentence worse than real training images do",
    "zero_shot": "looks like another class to CLIP, or less clearly like its own than real ones do",
}


def render_classification_report(content: ReportContent) -> str:
    """The page."""
    return render_page(
        "classification",
        content,
        galleries=_galleries(content),
        arm_columns=ARM_COLUMNS,
        rule_descriptions=RULE_DESCRIPTIONS,
        yields=_yields(content.decisions),
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


def _galleries(content: ReportContent) -> list[Gallery]:
    """Rows of pictures: real ones, the best and worst kept, the rejected by rule."""
    decisions, count = content.decisions, content.gallery_images
    kept = decisions[decisions["accepted"]].sort_values("clip_score", ascending=False)
    selections = [
        ("Best kept", "accepted, highest CLIP score", kept),
        ("Worst kept", "accepted, lowest CLIP score", kept[::-1]),
    ]
    for rule in RULES:
        rejected = decisions[decisions["reason"] == rule].sort_values("clip_score")
        selections.append((f"Rejected by {rule}", RULE_DESCRIPTIONS[rule], rejected))
    return [
        Gallery(
            "Real training images", "what the synthetic ones are measured against", _real(content), "small-pictures"
        ),
        *(
            Gallery(title, subtitle, _synthetic(content, in_turns(rows, "label", count)), "small-pictures")
            for title, subtitle, rows in selections
        ),
    ]


def _real(content: ReportContent) -> list[Picture]:
    train, count = content.real_images.where(split="train").index, content.gallery_images
    shown = train.groupby("label", sort=True).head(max(1, count // max(1, train["label"].nunique()))).head(count)
    return [Picture(_source(row.path), row.label, caption="", hint=row.image_id) for row in shown.itertuples()]


def _synthetic(content: ReportContent, rows: pd.DataFrame) -> list[Picture]:
    synthetic = content.synthetic_images.index.set_index("image_id")
    return [
        Picture(
            source=_source(synthetic.at[row.image_id, "path"]),
            label=row.label,
            caption=f"CLIP {row.clip_score:.2f} · margin {row.zero_shot_margin:+.2f}"
            + (f" · seen as {row.zero_shot_class}" if row.zero_shot_class != row.label else ""),
            hint=f"{synthetic.at[row.image_id, 'prompt']}, seed {synthetic.at[row.image_id, 'seed']}",
        )
        for row in rows.itertuples()
    ]


def _source(path: str) -> str:
    return small_source(open_image(Path(path)))
