"""The report on classifiers."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd

from diffaug_pipeline.evaluation.filter_rules import (
    DESCRIPTIONS,
    against_random,
    caption_score,
    describe_by_hand,
    nearest_real,
    tabulate_rules,
)
from diffaug_pipeline.evaluation.galleries import Gallery, Picture, in_turns, small_source
from diffaug_pipeline.evaluation.report import ReportContent, render_page
from diffaug_pipeline.imaging.preparation import open_image

ARM_COLUMNS = {
    "top1_accuracy": "top-1 accuracy",
    "macro_f1": "macro F1",
    "expected_calibration_error": "calibration error",
}


def render_classification_report(content: ReportContent) -> str:
    """The page."""
    return render_page(
        "classification",
        content,
        galleries=_galleries(content),
        arm_columns=ARM_COLUMNS,
        judged="images",
        rules=tabulate_rules(content.calibration, DESCRIPTIONS),
        by_hand=describe_by_hand(content.calibration),
        against_random=against_random(content.comparison),
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
                "rejected": defaultdict(int, rejected),
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
    for rule in tabulate_rules(content.calibration, DESCRIPTIONS):
        rejected = decisions[decisions["reason"] == rule["name"]].sort_values("clip_score")
        selections.append((f"Rejected by {rule['name']}", rule["description"], rejected))
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
    real = content.real_images.index.set_index("image_id")["path"]
    nearest = nearest_real(content.copies, content.real_images)
    return [
        Picture(
            source=_source(synthetic.at[row["image_id"], "path"]),
            label=row["label"],
            caption=_caption(row),
            hint=f"{synthetic.at[row['image_id'], 'prompt']}, seed {synthetic.at[row['image_id'], 'seed']}",
            neighbour=_source(real[nearest[row["image_id"]]]) if row["image_id"] in nearest else None,
        )
        for row in rows.to_dict("records")
    ]


def _caption(row: dict[str, Any]) -> str:
    scores = [f"CLIP {row['clip_score']:.2f}", f"margin {row['zero_shot_margin']:+.2f}"]
    if row["zero_shot_class"] != row["label"]:
        scores.append(f"seen as {row['zero_shot_class']}")
    return " · ".join([*scores, *filter(None, [caption_score(row, row["reason"])])])


def _source(path: str) -> str:
    return small_source(open_image(Path(path)))
