import numpy as np
import pytest
from factories import annotated_image_set, labelling_options, noise_image, smooth_image
from PIL import Image

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.labelling.blending import touched_pixels
from diffaug_pipeline.labelling.object_inpainting import region_around, tightened

OPTIONS = labelling_options().object_inpainting


@pytest.mark.parametrize("fit", ["contain", "cover"])
def test_one_object_is_new_and_everything_else_is_as_it_was(real, make_scenes, fit):
    generated, scenes = make_scenes("object_inpainting", images=6, fit=fit)
    pictures = generated.index.set_index("image_id")
    assert set(pictures["label"]) == {"bag", "coat"}
    for image_id, source, boxes in zip(
        scenes.index["image_id"], scenes.index["source_image_id"], scenes.boxes, strict=True
    ):
        before, after, old = np.asarray(real.read(source)), np.asarray(scenes.read(image_id)), real.boxes_of(source)
        number = pictures.at[image_id, "object_number"]
        assert pictures.at[image_id, "label"] == old.labels[number]
        left, top, right, bottom = touched_pixels(old.xyxy, before.shape[1::-1])[number]
        changed = (before != after).any(2)
        assert changed[top:bottom, left:right].mean() > 0.7
        changed[top:bottom, left:right] = False
        assert not changed.any()
        assert boxes.labels.tolist() == old.labels.tolist()
        others = np.arange(len(old)) != number
        assert (boxes.xyxy[others] == old.xyxy[others]).all()
        assert (boxes.ignored == old.ignored).all()
        assert (boxes.xyxy[number][:2] >= old.xyxy[number][:2]).all()
        assert (boxes.xyxy[number][2:] <= old.xyxy[number][2:]).all()


def test_ignored_and_tiny_objects_are_left_alone(plan_with):
    plan, _, _ = plan_with("object_inpainting", images=9)
    drawn = set(zip(plan["source_image_id"], plan["object_number"], strict=True))
    assert drawn == {("scene 0", 0), ("scene 0", 1), ("scene 1", 0)}
    assert set(plan.loc[plan["label"] == "bag", "prompt"]) == {"a photo of a bag", "a picture of a bag"}


@pytest.mark.parametrize(
    ("fit", "boxes"),
    [
        ("contain", (("bag", (2, 2, 30, 30), False), ("coat", (10, 10, 20, 20), True))),
        ("cover", (("bag", (2, 2, 30, 90), False),)),
        ("contain", (("bag", (2, 2, 9, 20), False),)),
    ],
)
def test_where_no_object_can_be_redrawn_there_is_no_plan(tmp_path, plan_with, fit, boxes):
    hard = annotated_image_set(tmp_path / "hard", (("train", (32, 100), boxes),))
    with pytest.raises(ParameterError, match="none of the objects in 1 training images can be drawn anew"):
        plan_with("object_inpainting", of=hard, fit=fit)


@pytest.mark.parametrize(
    ("xyxy", "region"),
    [
        ((40, 40, 50, 50), [35, 35, 55, 55]),  # in the open: context on all sides
        ((40, 40, 50, 60), [25, 30, 65, 70]),  # widened to the generator's shape
        ((0, 0, 10, 10), [0, 0, 20, 20]),  # moved into the picture
        ((40.5, 40, 49.5, 50), [35, 35, 55, 55]),  # half pixels count whole
        ((10, 10, 90, 90), [0, 0, 100, 100]),  # no larger than the picture
    ],
)
def test_the_region_has_the_generators_shape_where_the_picture_allows(xyxy, region):
    assert region_around(np.array(xyxy, float), 0.5, (100, 100), (32, 32)) == region


def test_a_narrow_picture_gives_a_narrow_region():
    assert region_around(np.array([5.0, 5, 25, 95]), 0.2, (30, 100), (32, 32)) == [0, 0, 30, 100]


def test_a_box_is_tightened_to_what_changed():
    before = smooth_image("before", (40, 40))
    after = before.copy()
    after.paste(noise_image(0, (14, 16)), (12, 10))
    box = np.array([8.5, 8.0, 30.0, 28.0])
    assert tightened(box, before, after, OPTIONS).tolist() == [12, 10, 26, 26]


def test_a_box_stays_where_little_changed():
    before = smooth_image("before", (40, 40))
    after = before.copy()
    after.paste(noise_image(0, (5, 5)), (12, 10))
    box = np.array([8.5, 8.0, 30.0, 28.0])
    for other in (before, after):
        assert (tightened(box, before, other, OPTIONS) == box).all()


def test_a_tightened_box_never_leaves_the_old_one():
    before, after = Image.new("RGB", (40, 40)), Image.new("RGB", (40, 40), "white")
    box = np.array([8.5, 8.25, 30.0, 28.75])
    assert (tightened(box, before, after, OPTIONS) == box).all()
