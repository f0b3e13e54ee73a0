import numpy as np
import pandas as pd
from factories import labelling_options
from kedro.io import Version

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.labelling import pseudo_labelling
from diffaug_pipeline.labelling.open_vocabulary import OpenVocabularyDetector
from diffaug_pipeline.synthesis.models import model_revision


def block(detector: object, **changes) -> dict:
    values = labelling_options().pseudo_labelling.model_dump() | {"detector": str(detector)}
    return {"pseudo_labelling": values | {"confidence": 0.001, "iou": 0.5} | changes}


def test_scenes_are_the_pictures_with_what_the_detector_finds(tiny_owl, make_scenes):
    generated, scenes = make_scenes("pseudo_labelling", images=5, labelling=block(tiny_owl))
    detector = OpenVocabularyDetector(str(tiny_owl), None, ["bag", "coat"], "cpu")
    for image_id, boxes in zip(scenes.index["image_id"], scenes.boxes, strict=True):
        picture = generated.read(image_id)
        assert picture.tobytes() == scenes.read(image_id).tobytes()
        expected = detector.detect([picture], 0.001, 0.5)[0]
        assert boxes.labels.tolist() == expected.labels.tolist()
        np.testing.assert_allclose(boxes.xyxy, expected.xyxy, atol=1e-3)
    assert sum(map(len, scenes.boxes)) > 0
    assert scenes.index["source_image_id"].isna().all()
    assert set(scenes.index["strategy"]) == {"pseudo_labelling"}
    assert set(scenes.index["labeller"]) == {str(tiny_owl)}
    assert set(scenes.index["labeller_revision"]) == {model_revision(str(tiny_owl), None)}


def test_scenes_in_which_nothing_is_found_have_no_boxes(tiny_owl, make_scenes):
    _, scenes = make_scenes("pseudo_labelling", labelling=block(tiny_owl, confidence=0.999999))
    assert [len(boxes) for boxes in scenes.boxes] == [0] * 4
    assert isinstance(scenes, ImageSet)


def test_grounding_dino_serves_as_well(tiny_grounding_dino, make_scenes):
    _, scenes = make_scenes("pseudo_labelling", images=2, labelling=block(tiny_grounding_dino))
    assert {str(label) for boxes in scenes.boxes for label in boxes.labels} <= {"bag", "coat"}


def test_prompts_name_classes_in_turn(plan_with):
    plan, _, _ = plan_with("pseudo_labelling", images=6, labelling=block("none"))
    assert set(plan["prompt"]) <= {
        f"a {kind} of a {first} and a {second}"
        for kind in ("photo", "picture")
        for first, second in (("bag", "coat"), ("coat", "bag"))
    }
    assert plan["boxes"].tolist() == [[]] * 6
    assert set(plan["mode"]) == {"text_to_image"}
    single, _, _ = plan_with("pseudo_labelling", images=6, labelling=block("none", classes_per_scene=1))
    assert single["prompt"].str.endswith("bag").sum() == 3


def test_the_detector_is_loaded_for_the_first_scene_only(tiny_owl, real, make_scenes, monkeypatch):
    generated, _ = make_scenes("pseudo_labelling", labelling=block(tiny_owl))
    loads = []

    class Counted(OpenVocabularyDetector):
        def __init__(self, *arguments):
            loads.append(arguments)
            super().__init__(*arguments)

    monkeypatch.setattr(pseudo_labelling, "OpenVocabularyDetector", Counted)
    options = labelling_options(strategy="pseudo_labelling", **block(tiny_owl))
    planned = pseudo_labelling.label_images(generated, real, options)
    assert loads == []
    for start in (0, 2):
        planned.make_images(planned.plan.iloc[start : start + 2])
    assert len(loads) == 1


def test_another_detector_or_threshold_is_another_recipe(tiny_owl, tiny_grounding_dino, real, make_scenes):
    generated, scenes = make_scenes("pseudo_labelling", labelling=block(tiny_owl))
    for other in (block(tiny_grounding_dino), block(tiny_owl, confidence=0.5), block(tiny_owl, iou=0.9)):
        options = labelling_options(strategy="pseudo_labelling", **other)
        plan = pseudo_labelling.label_images(generated, real, options).plan
        assert set(plan["recipe"]).isdisjoint(scenes.index["recipe"])


def found(*boxes: tuple[str, list[float], float]) -> list[dict]:
    return [{"label": label, "xyxy": xyxy, "confidence": confidence} for label, xyxy, confidence in boxes]


def test_what_detectors_of_real_images_have_found_becomes_boxes(tiny_owl, make_scenes, tmp_path):
    generated, _ = make_scenes("pseudo_labelling", images=2, labelling=block(tiny_owl))
    first, second = generated.index["image_id"]
    sure = ("bag", [2.0, 2.0, 12.0, 12.0], 0.9)
    detections = pd.DataFrame(
        {
            "image_id": [first, second],
            "boxes": [
                found(sure, ("bag", [2.0, 3.0, 12.0, 13.0], 0.8), ("coat", [2.0, 3.0, 12.0, 13.0], 0.7)),
                found(("coat", [1.0, 1.0, 9.0, 9.0], 0.2)),
            ],
        }
    )
    options = labelling_options(strategy="pseudo_labelling", **block("references", confidence=0.3))
    assert options.needs_references
    dataset = ImageSetDataset(filepath=str(tmp_path / "labelled"), version=Version("v1", "v1"))
    dataset.save(pseudo_labelling.label_detected(generated, detections, options))
    scenes = dataset.load()
    assert [boxes.labels.tolist() for boxes in scenes.boxes] == [["bag", "coat"], []]
    assert scenes.boxes[0].xyxy.tolist() == [sure[1], [2.0, 3.0, 12.0, 13.0]]
    assert set(scenes.index["labeller"]) == {"references"}
    for image_id in (first, second):
        assert scenes.read(image_id).tobytes() == generated.read(image_id).tobytes()


def test_references_are_needed_by_this_strategy_alone():
    assert not labelling_options(strategy="composition", **block("references")).needs_references
    assert not labelling_options(strategy="pseudo_labelling", **block("google/owlv2")).needs_references
