"""What detectors confirm."""

from filtering.filter_cases import ask, found, indexed_scenes, scene_options

from diffaug_pipeline.features.crops import list_boxes
from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.rules import detector_agreement
from diffaug_pipeline.imaging.image_set import ImageSet


def judge(images: ImageSet, detections: dict, **rule: object) -> dict[str, list]:
    known = Evidence(table=list_boxes(images), images=images, detections=detections)
    options = scene_options(detector_agreement={"confidence": 0.2} | rule)
    judged = ask(detector_agreement, known, detector_agreement.calibrate(known, options), options)
    return judged[["detector_iou", "passes"]].to_dict("list")


def test_a_box_is_confirmed_by_the_best_confident_detection_of_its_class():
    images = indexed_scenes(a=[("cat", [0, 0, 10, 10]), ("dog", [50, 50, 70, 70])], b=[("cat", [0, 0, 10, 10])])
    detections = {
        "a": [
            found("cat", [0, 0, 10, 5], 0.9),
            found("cat", [0, 0, 10, 10], 0.1),
            found("cat", [50, 50, 70, 70], 0.9),
        ]
    }
    assert judge(images, detections) == {"detector_iou": [0.5, 0.0, 0.0], "passes": [True, False, False]}
    any_class = judge(images, detections, same_class=False, iou=0.6)
    assert any_class == {"detector_iou": [0.5, 1.0, 0.0], "passes": [False, True, False]}


def test_without_detections_nothing_is_confirmed():
    assert judge(indexed_scenes(a=[("cat", [0, 0, 40, 40])]), {}) == {"detector_iou": [0.0], "passes": [False]}
