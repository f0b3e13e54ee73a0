"""What detectors confirm, and what they find that no box declares."""

import pandas as pd

from diffaug_pipeline.filtering.crops import list_boxes
from diffaug_pipeline.filtering.options import AgreementRule, UndeclaredRule
from diffaug_pipeline.filtering.second_opinion import confirmed_ious, count_undeclared
from diffaug_pipeline.imaging.image_set import ImageSet

AGREEMENT = {"enabled": True, "confidence": 0.2, "iou": 0.5, "same_class": True}
UNDECLARED = UndeclaredRule(enabled=True, confidence=0.5, covered=0.5)


def scenes(**boxes: list[tuple]) -> ImageSet:
    """An index without files: image ids with (label, xyxy[, ignored]) boxes."""
    rows = [
        {
            "image_id": image_id,
            "path": f"{image_id}.png",
            "width_px": 100,
            "height_px": 100,
            "split": "train",
            "origin": "synthetic",
            "boxes": [{"label": b[0], "xyxy": b[1], "ignored": len(b) > 2} for b in of_image],
            "size_bytes": 1,
            "sha256": "0",
            "recipe": None,
        }
        for image_id, of_image in boxes.items()
    ]
    return ImageSet(pd.DataFrame(rows))


def found(label: str, xyxy: list[float], confidence: float) -> dict:
    return {"label": label, "xyxy": xyxy, "confidence": confidence}


def test_a_box_is_confirmed_by_the_best_confident_detection_of_its_class():
    images = scenes(a=[("cat", [0, 0, 10, 10]), ("dog", [50, 50, 70, 70])], b=[("cat", [0, 0, 10, 10])])
    detections = {
        "a": [
            found("cat", [0, 0, 10, 5], 0.9),
            found("cat", [0, 0, 10, 10], 0.1),
            found("cat", [50, 50, 70, 70], 0.9),
        ]
    }
    table = list_boxes(images)
    assert confirmed_ious(images, table, detections, AgreementRule(**AGREEMENT)).tolist() == [0.5, 0.0, 0.0]
    any_class = AgreementRule(**AGREEMENT | {"same_class": False})
    assert confirmed_ious(images, table, detections, any_class).tolist() == [0.5, 1.0, 0.0]


def test_detections_that_no_box_explains_are_counted():
    images = scenes(a=[("cat", [0, 0, 40, 40])], b=[("crowd", [0, 0, 100, 100], True)], c=[])
    confident = [found("dog", [60, 60, 80, 80], 0.8), found("cat", [10, 10, 30, 30], 0.9)]
    unsure = [found("dog", [60, 60, 80, 80], 0.4)]
    counts = count_undeclared(images, {"a": confident + unsure, "b": confident, "c": confident}, UNDECLARED)
    assert counts.tolist() == [1, 0, 2]


def test_without_detections_nothing_is_confirmed_or_undeclared():
    images = scenes(a=[("cat", [0, 0, 40, 40])])
    assert confirmed_ious(images, list_boxes(images), {}, AgreementRule(**AGREEMENT)).tolist() == [0.0]
    assert count_undeclared(images, {}, UNDECLARED).tolist() == [0]
