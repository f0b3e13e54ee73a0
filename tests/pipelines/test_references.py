"""Reference models are trained, and asked, only where somebody needs them."""

from pathlib import Path

import pandas as pd
import pytest
from factories import labelling_options, real_image_set

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.filtering.options import DetectionFilteringOptions, FilteringOptions
from diffaug_pipeline.pipelines.references import nodes
from diffaug_pipeline.prompts.options import BudgetOptions
from diffaug_pipeline.training.folds import read_folds, train_none

TRAINING = REFERENCES = None  # nobody looks at them before a folder is filled


def budget(allocation: str) -> BudgetOptions:
    return BudgetOptions(allocation=allocation, total=None, quota=None)


def filtering(*rules: str) -> FilteringOptions:
    return FilteringOptions.model_construct(rules=list(rules))


def scene_filtering(*rules: str) -> DetectionFilteringOptions:
    return DetectionFilteringOptions.model_construct(rules=list(rules))


def detector_labels() -> object:
    blocks = labelling_options().pseudo_labelling.model_dump()
    return labelling_options(strategy="pseudo_labelling", pseudo_labelling=blocks | {"detector": "references"})


@pytest.fixture
def none(tmp_path) -> Checkpoint:
    train_none(tmp_path)
    return Checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("rules", "allocation", "needed"),
    [
        (("clip_score",), "uniform", False),
        (("clip_score",), "balance", False),
        (("task_model",), "uniform", True),
        ((), "weakness", True),
    ],
)
def test_classifiers_are_trained_for_the_task_model_rule_and_for_weakness(tmp_path, rules, allocation, needed):
    real = real_image_set(tmp_path / "real", {"train": 2})
    fill = nodes.train_classifiers(real, TRAINING, REFERENCES, filtering(*rules), budget(allocation))
    assert (fill is not train_none) == needed


@pytest.mark.parametrize(
    ("rules", "labelling", "allocation", "needed"),
    [
        (("clip_score",), labelling_options(), "uniform", False),
        (("undeclared_objects",), labelling_options(), "uniform", True),
        ((), detector_labels(), "uniform", True),
        ((), labelling_options(), "weakness", True),
    ],
)
def test_detectors_are_trained_for_rules_labels_and_weakness(rules, labelling, allocation, needed):
    fill = nodes.train_detectors(None, TRAINING, REFERENCES, scene_filtering(*rules), labelling, budget(allocation))
    assert (fill is not train_none) == needed


def test_where_nobody_asks_the_folder_says_so_and_tables_are_empty(none, tmp_path):
    assert read_folds(none) == {}
    tables = {
        "errors": nodes.measure_classifier_errors(none, None, TRAINING, budget("balance")),
        "errors too": nodes.measure_detector_errors(none, None, TRAINING, budget("uniform")),
        "predictions": nodes.predict_with_references(none, None, None, TRAINING, filtering("clip_score")),
        "detections": nodes.detect_with_references(none, None, None, TRAINING, scene_filtering()),
    }
    columns = {name: list(table) for name, table in tables.items()}
    assert columns == {
        "errors": ["class_name", "error"],
        "errors too": ["class_name", "error"],
        "predictions": ["image_id", "label", "predicted", "probabilities"],
        "detections": ["image_id", "boxes"],
    }
    assert [name for name, table in tables.items() if not _comes_back_empty(table, tmp_path)] == []


def _comes_back_empty(table: pd.DataFrame, folder: Path) -> bool:
    table.to_parquet(folder / "table.parquet")
    return pd.read_parquet(folder / "table.parquet").equals(table)
