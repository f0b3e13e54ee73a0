import numpy as np
import pytest


@pytest.mark.parametrize("fit", ["contain", "cover"])
def test_boxes_stay_and_only_what_the_generator_saw_changes(real, make_scenes, fit):
    _, scenes = make_scenes("image_to_image", fit=fit, strength=[0.25, 0.5])
    assert set(scenes.index["strength"]) == {0.25, 0.5}
    for image_id, source, boxes in zip(
        scenes.index["image_id"], scenes.index["source_image_id"], scenes.boxes, strict=True
    ):
        before, after = np.asarray(real.read(source)), np.asarray(scenes.read(image_id))
        assert before.shape == after.shape
        assert boxes.records() == real.boxes_of(source).records()
        height, width = before.shape[:2]
        unseen = np.abs(height - width) // 2 if fit == "cover" else 0
        lines = (after == before).all((1, 2)) if height > width else (after == before).all((0, 2))
        assert lines[:unseen].all()
        assert not lines[unseen + 1 : len(lines) - unseen - 1].any()


def test_prompts_name_the_classes_that_count(plan_with):
    plan, _, _ = plan_with("image_to_image", images=8)
    prompts = plan.groupby("source_image_id")["prompt"].agg(set)
    assert prompts["scene 0"] <= {"a photo of a bag and a coat", "a picture of a bag and a coat"}
    assert prompts["scene 1"] <= {"a photo of a coat", "a picture of a coat"}
    assert prompts["scene 3"] == {""}
