"""Average precision, of all images and of resamples, against pycocotools; roughly against Ultralytics."""

import numpy as np
import pytest
import torch
from evaluation.detection_cases import (
    CLASSES,
    coco_eval,
    coco_precisions,
    random_detections,
    random_record,
    random_scenes,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import diffaug_pipeline.detection.ultralytics_api  # noqa: F401  before any import of Ultralytics, whose files it confines
from diffaug_pipeline.average_precision import (
    ELEMENTS_PER_BLOCK,
    MAX_DETECTIONS,
    Detections,
    Truth,
    map_on,
    match,
    mean_average_precision,
)
from diffaug_pipeline.imaging.boxes import Boxes, ious


def matches_of(scenes, detections):
    return match(Detections.of(detections, CLASSES), Truth.of(scenes, CLASSES))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    objects=st.sampled_from([0.7, 3, 8]),
    skill=st.sampled_from([0.1, 0.7, 1.0]),
    clutter=st.sampled_from([1, 20]),
    digits=st.sampled_from([1, 3]),
    ignored=st.sampled_from([0, 0.3]),
)
def test_equals_pycocotools(seed, objects, skill, clutter, digits, ignored):
    rng = np.random.default_rng(seed)
    scenes = random_scenes(rng, 12, objects, ignored)
    scenes[0] = Boxes.of([random_record(rng, CLASSES[:2]) | {"ignored": False}])
    detections = random_detections(rng, scenes, skill, clutter, digits)
    detections[1], detections[2] = [], [random_record(rng, CLASSES) | {"confidence": 0.5}]
    reference, ours = coco_eval(scenes, detections), matches_of(scenes, detections)
    precisions = ours.average_precisions(np.ones((1, 12)))[0]
    np.testing.assert_allclose(precisions, coco_precisions(reference), rtol=0, atol=1e-9)
    figures = map_on(detections, scenes, CLASSES)
    assert figures["map_50_95"] == pytest.approx(reference.stats[0], abs=1e-9)
    assert figures["map_50"] == pytest.approx(reference.stats[1], abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_a_resample_equals_pycocotools_on_repeated_images(seed):
    rng = np.random.default_rng(seed)
    scenes = random_scenes(rng, 15, objects=1.5)
    detections = random_detections(rng, scenes, digits=6)
    counts = rng.multinomial(15, np.full(15, 1 / 15), size=3)
    ours = matches_of(scenes, detections).average_precisions(counts)
    for row, drawn in zip(ours, counts, strict=True):
        chosen = np.repeat(np.arange(15), drawn)
        reference = coco_eval([scenes[k] for k in chosen], [detections[k] for k in chosen])
        np.testing.assert_allclose(row, coco_precisions(reference), rtol=0, atol=1e-9)
        assert mean_average_precision(row[None])[0] == pytest.approx(reference.stats[0], abs=1e-9)


def test_blocks_do_not_show():
    rng = np.random.default_rng(0)
    scenes = random_scenes(rng, 30, objects=6)
    matches = matches_of(scenes, random_detections(rng, scenes))
    counts = rng.multinomial(30, np.full(30, 1 / 30), size=ELEMENTS_PER_BLOCK // 20)
    together = matches.average_precisions(counts)
    assert len(counts) > 2 * (ELEMENTS_PER_BLOCK // matches.hits[0].sum())
    np.testing.assert_allclose(matches.average_precisions(counts[-3:]), together[-3:], rtol=0, atol=1e-12)


def test_more_detections_than_count_are_cut_like_pycocotools_does():
    rng = np.random.default_rng(0)
    scenes = [Boxes.of([random_record(rng, CLASSES[:1]) | {"ignored": False} for _ in range(130)])]
    detections = random_detections(rng, scenes, skill=1, clutter=50, digits=3)
    reference = coco_eval(scenes, detections)
    assert sum(row["label"] == CLASSES[0] for row in detections[0]) > MAX_DETECTIONS
    assert map_on(detections, scenes, CLASSES)["map_50_95"] == pytest.approx(reference.stats[0], abs=1e-9)


def test_an_ignored_box_is_neither_found_nor_missed():
    one, other = [0, 0, 10, 10], [50, 50, 90, 90]
    scenes = [
        Boxes.of([{"label": "cat", "xyxy": one, "ignored": False}, {"label": "cat", "xyxy": other, "ignored": True}])
    ]
    inside = [{"label": "cat", "xyxy": [55, 55, 65, 65], "confidence": 0.9} for _ in range(3)]
    right = {"label": "cat", "xyxy": one, "confidence": 0.5}
    assert map_on([[right]], scenes, CLASSES)["map_50"] == 1
    assert map_on([[*inside, right]], scenes, CLASSES)["map_50"] == 1
    astray = {"label": "cat", "xyxy": [120, 120, 130, 130], "confidence": 0.9}
    assert map_on([[astray, right]], scenes, CLASSES)["map_50"] == 0.5


def test_nothing_to_find_is_an_error():
    scenes = [Boxes.of([]), Boxes.of([{"label": "cat", "xyxy": [0, 0, 5, 5], "ignored": True}])]
    with pytest.raises(ValueError, match="none of the 2 images has a box of bird, cat, dog that counts"):
        map_on([[], []], scenes, CLASSES)


@pytest.mark.parametrize("seed", range(3))
def test_is_close_to_what_ultralytics_reports(seed):
    """Ultralytics draws a line between the points of the precision-recall curve where COCO keeps a step's higher end.

    It also integrates by trapezes and starts the curve at precision 1, so it reports a little less or more: here up to
    0.2 points, with hundreds of objects per class less.
    """
    from ultralytics.engine.validator import BaseValidator
    from ultralytics.utils.metrics import ap_per_class

    rng = np.random.default_rng(seed)
    scenes = random_scenes(rng, 60, objects=4, ignored=0)
    detections = random_detections(rng, scenes, digits=6)
    validator = BaseValidator.__new__(BaseValidator)
    validator.iouv = torch.linspace(0.5, 0.95, 10)
    hits, confidences, predicted, true = [], [], [], []
    for boxes, records in zip(scenes, detections, strict=True):
        rows = sorted(records, key=lambda row: -row["confidence"])
        number = np.array([CLASSES.index(row["label"]) for row in rows], dtype=int)
        truth = np.array([CLASSES.index(label) for label in boxes.labels], dtype=int)
        overlap = ious(boxes.xyxy, np.array([row["xyxy"] for row in rows]).reshape(-1, 4))
        found = validator.match_predictions(*map(torch.from_numpy, (number, truth, overlap)))
        hits.append(found.numpy())
        confidences += [row["confidence"] for row in rows]
        predicted.append(number)
        true.append(truth)
    theirs = ap_per_class(np.concatenate(hits), np.array(confidences), np.concatenate(predicted), np.concatenate(true))[
        5
    ]
    ours = map_on(detections, scenes, CLASSES)
    assert ours["map_50_95"] == pytest.approx(theirs.mean(), abs=0.005)
    assert ours["map_50"] == pytest.approx(theirs[:, 0].mean(), abs=0.005)
