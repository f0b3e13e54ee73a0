import numpy as np
import pandas as pd
import pytest
from evaluation.report_cases import RUN_RECORD, copies
from evaluations import evaluation_options
from factories import real_image_set

from diffaug_pipeline.evaluation.classification_metrics import ClassificationOutcomes, summarize_predictions
from diffaug_pipeline.evaluation.classification_report import render_classification_report
from diffaug_pipeline.evaluation.comparison import compare_arms
from diffaug_pipeline.evaluation.figures import draw_arms, draw_learning_curves, draw_per_class
from diffaug_pipeline.evaluation.report import ReportContent
from diffaug_pipeline.imaging.image_set import ImageSet

CLASSES = ("cat", "<u>dog</u>")
OPTIONS = evaluation_options(min_seeds=2, calibration_bins=10, gallery_images=4)


def arm(truth: pd.DataFrame, skill: float, salt: int) -> pd.DataFrame:
    tables = []
    for seed in range(2):
        right = np.random.default_rng([salt, seed]).random(len(truth)) < skill
        answers = np.where(right, truth["label"] == CLASSES[1], truth["label"] != CLASSES[1]).astype(int)
        tables.append(
            pd.DataFrame(
                {
                    "seed": seed,
                    "image_id": truth["image_id"],
                    "label": truth["label"],
                    "predicted": np.array(CLASSES)[answers],
                    "probabilities": list(np.eye(2)[::-1][answers]),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


@pytest.fixture
def page(tmp_path) -> str:
    real = real_image_set(tmp_path / "real", {"train": 3, "val": 1, "test": 20}, CLASSES[:1])
    others = real.index.assign(image_id="other" + real.index["image_id"], label=CLASSES[1])
    real = ImageSet(pd.concat([real.index, others], ignore_index=True))
    synthetic = ImageSet(real.where(split="train").index.assign(origin="synthetic", prompt="a <prompt>", seed=3))
    tables = {
        name: arm(real.where(split="test").index, skill, salt)
        for salt, (name, skill) in enumerate([("real_only", 0.6), ("augmented", 0.9)])
    }
    outcomes = {name: ClassificationOutcomes.of(table) for name, table in tables.items()}
    comparison = compare_arms(outcomes, OPTIONS, zero_shot=outcomes["augmented"])
    decisions = synthetic.index[["image_id", "label"]].assign(
        clip_score=0.7,
        zero_shot_class="cat",
        zero_shot_margin=0.1,
        accepted=[True, False, False, True, False, False],
        reason=[None, "clip_score", "zero_shot", None, "clip_score", "selection"],
    )
    history = pd.DataFrame({"seed": [0, 1], "step": [0, 0], "val_accuracy": [0.4, 0.6]})
    return render_classification_report(
        ReportContent(
            comparison=comparison,
            metrics={name: summarize_predictions(table, 10) for name, table in tables.items()},
            figures={
                "arms": draw_arms(comparison),
                "per_class": draw_per_class(comparison),
                "learning_curves": draw_learning_curves(dict.fromkeys(tables, history)),
            },
            real_images=real,
            synthetic_images=synthetic,
            decisions=decisions,
            copies=copies(synthetic, real),
            audit="Audit: fine.",
            sections=[],
            calibration={
                "rules": {"clip_score": {"quantile": 0.1}, "zero_shot": {"quantile": 0.1}},
                "rules_switched_off": [],
                "switched_off": None,
                "selection": {"policy": "top_k", "score": "clip_score", "cap_per_class": None},
                "failed": {"clip_score": 3, "zero_shot": 2},
                "rejected_by": {"clip_score": 2, "zero_shot": 1, "selection": 1},
                "false_reject_rate_on_real_val": {"clip_score": 0.05, "zero_shot": 0.1, "any": 0.15},
                "thresholds": {
                    "clip_score": {"clip_score": dict.fromkeys(CLASSES, 0.6)},
                    "zero_shot": {"zero_shot_margin": dict.fromkeys(CLASSES, 0.01)},
                },
                "by_hand": {"thresholds": {"clip_score": {"clip_score": {"cat": 0.6}}}, "kept": 1, "rejected": 2},
            },
            ingestion_report={
                "dataset": "/data",
                "splits": "as given",
                "found": 48,
                "used": 48,
                "left_out_by_limit": 0,
                "refused": {},
                "handled": {},
                "near_duplicates_across_splits": {"groups": 0, "examples": []},
            },
            run_record=RUN_RECORD,
            warnings=[],
            notes=[],
            gallery_images=4,
        )
    )


def test_the_page_shows_verdict_galleries_and_filter_with_text_escaped(page):
    assert "points top-1 accuracy</h1>" in page
    assert "zero-shot CLIP" in page
    assert "calibration error, %" in page
    with_neighbours = 2 + 2 + 2 + 1 + 1
    assert page.count('<img src="data:image/png;base64,') == 4 + 2 * with_neighbours
    assert "would reject\n      15.0 %" in page
    assert "classification_controls tells" in page
    assert "policy top_k, score clip_score" in page
    assert (
        "but for what a person decided: 1 image kept by hand; 2 images rejected by hand; threshold set by hand: "
        in page
    )
    assert "clip_score 0.6 of cat.\n" in page
    assert "&lt;u&gt;dog&lt;/u&gt;" in page
    assert "<figcaption><b><u>dog" not in page
    assert 'title="a &lt;prompt&gt;, seed 3"' in page
