"""Objects pasted onto real images: exact boxes, real statistics, the same scenes whatever the turn."""

import io

import numpy as np
import pandas as pd
import pytest
from factories import annotated_image_set, labelling_options, real_image_set
from PIL import Image

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.boxes import extent, ious
from diffaug_pipeline.imaging.compositing import Canvas, Cutout
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import boxes_inside, open_image
from diffaug_pipeline.labelling import composition
from diffaug_pipeline.labelling.matting import choose_matting, cut_with_grab_cut
from diffaug_pipeline.synthesis.models import model_revision

OBJECTS = 1_000


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ImageSet:
    return annotated_image_set(tmp_path_factory.mktemp("real"))


def options(**changes):
    return labelling_options(strategy="composition", **changes)


def random_object(rng: np.random.Generator) -> Cutout:
    """A star of random arms: an outline whose extent is no accident of its canvas."""
    rows, columns = np.mgrid[:32, :32] - 15.5
    angle = np.arctan2(rows, columns)
    radius = 9 + 6 * np.sin(rng.integers(2, 6) * angle + rng.uniform(0, 6))
    alpha = np.clip(radius - np.hypot(rows, columns) + 0.5, 0, 1).astype(np.float32)
    return Cutout("star", rng.integers(150, 256, (32, 32, 3), dtype=np.uint8), alpha).trimmed()


def test_boxes_enclose_what_the_composite_adds_to_its_background():
    """The extent is found from the composite minus its background, for 1,000 objects on dark textured ground."""
    overlaps = []
    for number in range(OBJECTS):
        rng = np.random.default_rng(number)
        ground = Image.fromarray(rng.integers(0, 60, (6, 6, 3), dtype=np.uint8)).resize((96, 96), 3)
        canvas = Canvas(np.array(ground))
        size = tuple(rng.integers(10, 40, 2).tolist())
        placed = random_object(rng).transformed(size, flip=rng.random() < 0.5).feathered(float(rng.choice([0, 0.6])))
        canvas.paste(placed, *rng.integers(-8, 80, 2).tolist())
        added = np.abs(canvas.pixels.astype(int) - np.asarray(ground)).max(2) > 60
        if extent(added) is not None and len(canvas.boxes()):
            overlaps.append(ious(canvas.boxes().xyxy, np.array([extent(added)]))[0, 0])
    assert len(overlaps) > 0.9 * OBJECTS
    assert np.mean(overlaps) > 0.95


def compose(real: ImageSet, **changes):
    return composition.compose_real_cutouts(real, options(**changes))


def test_every_scene_holds_its_boxes_and_those_of_its_background(real):
    planned = compose(real, images=6)
    for row, encoded in zip(planned.plan.itertuples(), planned.make_images(planned.plan), strict=True):
        image = open_image(encoded.content)
        assert image.size == real.read(row.source_image_id).size
        with Image.open(io.BytesIO(encoded.content)) as file:
            records = boxes_inside(file)
        assert len(records) >= len(real.boxes_of(row.source_image_id))
        for record in records:
            left, top, right, bottom = record["xyxy"]
            assert 0 <= left < right <= image.width
            assert 0 <= top < bottom <= image.height
            assert record["label"] in real.class_names


def test_scenes_name_the_model_that_cuts_their_objects_out(real, tiny_owl, tmp_path):
    objects = real_image_set(tmp_path / "objects", {"train": 2}, ("bag", "coat"))
    for matting, expected in (
        ("grab_cut", [None, None]),
        ("clip_segmentation", [str(tiny_owl), model_revision(str(tiny_owl), None)]),
    ):
        changed = {"matting": matting, "matting_model": str(tiny_owl)}
        block = labelling_options().composition.model_dump() | changed
        plan = composition.label_images(objects, real, options(composition=block)).plan
        assert plan[["labeller", "labeller_revision"]].drop_duplicates().to_numpy().tolist() == [expected]
    assert compose(real).plan["labeller"].isna().all()


def test_only_training_images_are_used(real):
    plan = compose(real, images=10).plan
    train = set(real.where(split="train").index["image_id"])
    assert set(plan["source_image_id"]) <= train
    assert {object_id.split("#")[0] for ids in plan["object_ids"] for object_id in ids} <= train
    assert set(plan["split"]) == {"train"}
    assert set(plan["origin"]) == {"synthetic"}


def test_more_scenes_leave_the_earlier_ones_as_they_are(real):
    few, many = compose(real, images=4).plan, compose(real, images=9).plan
    assert many["recipe"].iloc[:4].tolist() == few["recipe"].tolist()
    assert many["recipe"].is_unique


def test_a_scene_does_not_depend_on_its_turn(real):
    planned = compose(real, images=5)
    together = [encoded.content for encoded in planned.make_images(planned.plan)]
    alone = [compose(real, images=5).make_images(planned.plan.iloc[[k]])[0].content for k in reversed(range(5))]
    assert together == alone[::-1]


def test_another_option_is_another_recipe(real):
    plain = compose(real, images=3).plan["recipe"]
    changed = options().composition.model_copy(update={"match_colors": not options().composition.match_colors})
    other = composition.compose_real_cutouts(real, options(images=3).model_copy(update={"composition": changed})).plan
    assert set(plain).isdisjoint(other["recipe"])


def test_objects_are_not_pasted_onto_the_picture_they_were_cut_from(real):
    for row in compose(real, images=20).plan.itertuples():
        assert all(object_id.split("#")[0] != row.source_image_id for object_id in row.object_ids)


def test_boxes_of_real_objects_that_nothing_hides_keep_their_fractions(real):
    planned = compose(real, images=8)
    kept = 0
    for row, encoded in zip(planned.plan.itertuples(), planned.make_images(planned.plan), strict=True):
        with Image.open(io.BytesIO(encoded.content)) as file:
            boxes = [record["xyxy"] for record in boxes_inside(file)]
        kept += sum(xyxy in boxes for xyxy in real.boxes_of(row.source_image_id).xyxy.tolist())
    assert kept > 4


def test_a_matting_that_cuts_nothing_out_is_an_error_that_names_the_choices(real):
    pool = composition.ObjectPool(rows=pd.DataFrame({"image_id": ["a", "b"]}), contents=["1", "2"], cut=lambda _: None)
    planned = composition.compose(pool, real.where(split="train"), options(), "composition")
    with pytest.raises(ParameterError, match=r"could not be cut out.*photographs need clip_segmentation or grab_cut"):
        planned.make_images(planned.plan)


def test_no_object_large_enough_to_cut_is_an_error(real):
    tiny = [[box | {"xyxy": [1.0, 1.0, 5.0, 5.0]} for box in boxes] for boxes in real.index["boxes"]]
    with pytest.raises(ParameterError, match="measures 8 px on both sides"):
        composition.compose_real_cutouts(ImageSet(real.index.assign(boxes=tiny)), options())


def test_dust_does_not_belong_to_an_object_and_a_full_picture_is_none():
    cut = choose_matting(options())
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[8:20, 8:20] = 200
    pixels[30, 30] = 200
    assert cut(Image.fromarray(pixels), "block").alpha.shape == (12, 12)
    assert cut(Image.new("RGB", (32, 32), "white"), "block") is None
    assert cut(Image.new("RGB", (32, 32)), "block") is None


def test_colors_follow_a_real_object_whatever_the_edge_of_the_cutout(real):
    train = real.where(split="train")
    statistics = composition.BoxStatistics.of(train)
    name = train.class_names[0]
    rng = np.random.default_rng(0)
    pixels = rng.integers(60, 200, (20, 20, 3), dtype=np.uint8)
    painter = composition.ScenePainter(
        composition.ObjectPool(pd.DataFrame({"image_id": []}), [], lambda _: None),
        train,
        statistics,
        options().composition,
    )
    soft = np.full((20, 20), 0.8, np.float32)
    soft[10, 10] = 1
    colored = [painter._colored_like(Cutout(name, pixels, alpha), 0).pixels for alpha in (soft, np.ones_like(soft))]
    np.testing.assert_array_equal(*colored)


def test_grab_cut_finds_a_bright_object_in_its_box():
    pixels = np.full((60, 60, 3), 40, np.uint8)
    pixels[20:40, 15:45] = (220, 60, 60)
    pixels[20:26, 15:21] = 40
    noise = np.random.default_rng(0).integers(0, 12, pixels.shape, dtype=np.uint8)
    cutout = cut_with_grab_cut(Image.fromarray(pixels + noise), np.array([15.0, 20.0, 45.0, 40.0]), "block")
    assert cutout.alpha.shape == (20, 30)
    assert cutout.alpha[2, 2] == 0
    assert cutout.alpha[10, 15] == 1


def test_grab_cut_repeats_itself(real):
    row = real.where(split="train").index.iloc[0]
    box = real.boxes_of(row["image_id"]).xyxy[0]
    first, second = (cut_with_grab_cut(real.read(row["image_id"]), box, "x") for _ in range(2))
    assert (first is None) == (second is None)
    if first is not None:
        np.testing.assert_array_equal(first.alpha, second.alpha)
