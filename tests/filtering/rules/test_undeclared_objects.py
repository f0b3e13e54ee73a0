"""What detectors find that no box declares."""

from filtering.filter_cases import ask, found, indexed_scenes, scene_options

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.rules import undeclared_objects
from diffaug_pipeline.imaging.image_set import ImageSet


def judge(images: ImageSet, detections: dict) -> dict[str, list]:
    known = Evidence(table=images.index[["image_id"]], images=images, detections=detections)
    thresholds = undeclared_objects.calibrate(known, scene_options())
    judged = ask(undeclared_objects, known, thresholds, scene_options())
    return judged[["undeclared_objects", "passes"]].to_dict("list")


def test_detections_that_no_box_explains_are_counted():
    images = indexed_scenes(a=[("cat", [0, 0, 40, 40])], b=[("crowd", [0, 0, 100, 100], True)], c=[])
    confident = [found("dog", [60, 60, 80, 80], 0.8), found("cat", [10, 10, 30, 30], 0.9)]
    unsure = [found("dog", [60, 60, 80, 80], 0.4)]
    judged = judge(images, {"a": confident + unsure, "b": confident, "c": confident})
    assert judged == {"undeclared_objects": [1, 0, 2], "passes": [False, True, False]}


def test_without_detections_nothing_is_undeclared():
    images = indexed_scenes(a=[("cat", [0, 0, 40, 40])])
    assert judge(images, {}) == {"undeclared_objects": [0], "passes": [True]}
