import json

import numpy as np
import pandas as pd
import pytest
from measures.measure_cases import Task, options, pictures, task_of_boxes, task_of_images

from diffaug_pipeline.measures.catalogue import ACCEPTED, FID, MADE, MEASURES, REAL, SETS
from diffaug_pipeline.measures.comparison import compare_sets
from diffaug_pipeline.measures.measure import measure_synthetic_images


def measured(task: Task, **changes) -> tuple[pd.DataFrame, dict]:
    parts = task.features, task.real_images, task.synthetic_images, task.decisions
    return measure_synthetic_images(*parts, options(**changes))


def test_each_class_is_compared_with_real_images_of_its_own():
    task = task_of_images()
    _, document = measured(task)
    coats = document["per_class"]["coat"]
    assert document["counts"] == {REAL: 49, MADE: 80, ACCEPTED: 40}
    assert coats["counts"] == {REAL: 24, MADE: 40, ACCEPTED: 20}
    assert coats["sets"][MADE]["kid"]["images"] == 10
    assert document["sets"][MADE]["kid"]["images"] == 20
    real, made = (
        np.array([task.features.measure.vectors[f"{kind}{number}"] for number in numbers])
        for kind, numbers in (("r", [n for n in range(30, 60) if n % 5 != 3]), ("s", range(40, 80)))
    )
    ours = compare_sets(pictures(real, made, np.arange(40) % 2 == 0), options(draws=300), seed=1)
    for name, value in coats["sets"][ACCEPTED].items():
        if name != FID:
            expected = ours["sets"][ACCEPTED][name]
            assert abs(value["mean"] - expected["mean"]) < expected["high"] - expected["low"], name


def test_a_class_without_synthetic_images_is_null():
    hats = measured(task_of_images())[1]["per_class"]["hat"]
    assert hats["counts"] == {REAL: 1, MADE: 0, ACCEPTED: 0}
    assert {value for values in hats["sets"].values() for value in values.values()} == {None}


@pytest.mark.parametrize("task", [task_of_images(), task_of_boxes()], ids=["images", "boxes"])
def test_real_test_images_are_not_asked_for(task):
    measured(task)
    splits = task.real_images.index.set_index("image_id")["split"]
    asked = set(task.features.measure.asked)
    assert {splits[image_id] for image_id in asked if image_id in splits} == {"train", "val"}
    assert {*task.synthetic_images.index["image_id"]} <= asked


@pytest.mark.parametrize("task", [task_of_images(), task_of_boxes()], ids=["images", "boxes"])
def test_the_table_has_a_row_per_set_class_and_measure_and_says_what_the_document_does(task):
    table, document = measured(task)
    assert json.loads(json.dumps(document)) == document
    groups = {None: document, **document["per_class"]}
    assert len(table) == len(SETS) * len(groups) * (len(MEASURES) + 1)
    assert not table.duplicated(["set", "class_name", "measure"]).any()
    for row in table.itertuples():
        value = groups[None if pd.isna(row.class_name) else row.class_name]["sets"][row.set][row.measure]
        assert (value is None) == pd.isna(row.images)
        if value:
            assert (row.mean, row.low, row.high, row.images) == tuple(value.values())


def test_of_scenes_the_boxes_that_count_are_compared():
    _, document = measured(task_of_boxes())
    assert document["pictures"] == "boxes"
    assert document["counts"] == {REAL: 40, MADE: 60, ACCEPTED: 40}
    assert set(document["per_class"]) == {"bag", "coat"}
    assert document["per_class"]["bag"]["counts"] == {REAL: 20, MADE: 30, ACCEPTED: 20}


def test_the_document_says_whose_features_they_are():
    images, boxes = (measured(task)[1] for task in (task_of_images(), task_of_boxes()))
    assert (images["model"], images["is_filters_own"]) == ("another", False)
    assert (boxes["model"], boxes["is_filters_own"]) == ("clip", True)


def test_nothing_accepted_leaves_the_rest_as_it_is():
    task = task_of_images()
    nothing = Task(task.features, task.real_images, task.synthetic_images, task.decisions.assign(accepted=False))
    _, document = measured(nothing)
    assert set(document["sets"][ACCEPTED].values()) == {None}
    assert document["sets"][MADE]["kid"]["images"] == 24
