import numpy as np
import pytest

from diffaug_pipeline.labelling.blending import touched_pixels
from diffaug_pipeline.prompts.plan import recipe_hash


@pytest.mark.parametrize("fit", ["contain", "cover", "stretch"])
def test_objects_keep_their_pixels_and_boxes_in_new_surroundings(real, make_scenes, fit):
    generated, scenes = make_scenes("background_inpainting", images=8, fit=fit)
    assert len(scenes) == 8
    assert {image.size for image in generated} == {(32, 32)}
    assert set(scenes.index["source_image_id"]) == {"scene 0", "scene 1", "scene 2", "scene 3"}
    for image_id, source, boxes in zip(
        scenes.index["image_id"], scenes.index["source_image_id"], scenes.boxes, strict=True
    ):
        before, after = np.asarray(real.read(source)), np.asarray(scenes.read(image_id))
        assert before.shape == after.shape
        assert boxes.records() == real.boxes_of(source).records()
        outside = np.full(before.shape[:2], True)
        for left, top, right, bottom in touched_pixels(boxes.xyxy, before.shape[1::-1]).tolist():
            assert (after[top:bottom, left:right] == before[top:bottom, left:right]).all()
            outside[top:bottom, left:right] = False
        changed = (np.abs(after.astype(int) - before).max(2) > 8)[outside].mean()
        assert changed > (0.15 if fit == "cover" else 0.7)


def test_what_cover_cuts_off_stays_real(real, make_scenes):
    _, scenes = make_scenes("background_inpainting", fit="cover", labelling=no_feather())
    for image_id, source in zip(scenes.index["image_id"], scenes.index["source_image_id"], strict=True):
        if source == "scene 1":
            before, after = np.asarray(real.read(source)), np.asarray(scenes.read(image_id))
            assert (after[:37] == before[:37]).all()
            assert (after[83:] == before[83:]).all()
            assert (after[37:50] != before[37:50]).mean() > 0.7
            return
    pytest.fail("scene 1 was not used")


def no_feather() -> dict:
    return {"background_inpainting": {"prompts": ["a lawn"], "margin": 0.0, "feather_px": 0.0}}


def test_the_plan_keeps_grown_boxes_where_they_lie_in_the_generators_frame(plan_with):
    plan, _, _ = plan_with("background_inpainting")
    row = plan[plan["source_image_id"] == "scene 2"].iloc[0]
    assert row["boxes"] == [{"label": "bag", "xyxy": [10.0, 10.0, 12.5, 13.0], "ignored": False}]
    np.testing.assert_allclose(row["mask_xyxy"], [[9.75, 9.7, 12.75, 13.3]])
    assert (row["mask_kind"], row["region_xyxy"], row["mode"]) == ("keep", [0, 0, 64, 64], "inpainting")
    assert set(plan["prompt"]) <= {"an empty room", "a lawn", "a street"}
    assert row["guidance_scale"] == 2


def test_ignored_boxes_are_kept_too(plan_with):
    plan, _, _ = plan_with("background_inpainting")
    assert len(plan[plan["source_image_id"] == "scene 1"].iloc[0]["mask_xyxy"]) == 2


def test_more_scenes_keep_the_earlier_rows(plan_with):
    few, many = (plan_with("background_inpainting", images=images)[0] for images in (3, 7))
    assert many.iloc[:3].reset_index(drop=True).equals(few)


def test_scenes_name_where_they_come_from(real, make_scenes):
    generated, scenes = make_scenes("background_inpainting")
    row, picture = scenes.index.iloc[0], generated.index.iloc[0]
    for column in ("source_image_id", "prompt", "seed", "strength", "model_revision", "mode"):
        assert row[column] == picture[column]
    assert (row["strategy"], row["split"], row["origin"]) == ("background_inpainting", "train", "synthetic")
    assert "fit" not in scenes.index
    assert len(row["recipe"]) == len(recipe_hash({}))
