import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from diffaug_pipeline.formats.source import Annotations, RawBox
from diffaug_pipeline.imaging.boxes import extent
from diffaug_pipeline.ingestion.box_rules import (
    CheckedBoxes,
    check_boxes,
    place_upright,
    rules,
    summarise,
    turn_upright,
)
from diffaug_pipeline.ingestion.image_file import Picture, inspect_picture
from diffaug_pipeline.ingestion.options import DetectionIngestionOptions

NAN = float("nan")
OPTIONS = DetectionIngestionOptions(
    dataset="mine",
    format="auto",
    images={"train": None, "val": None, "test": None},
    split_shares={"val": 0.2, "test": 0.2},
    max_megapixels=1,
    max_file_megabytes=10,
    near_duplicate_distance=0.02,
    min_box_px=2,
    duplicate_iou=0.9,
    seed=0,
)


def picture(width: int = 100, height: int = 50, orientation: int = 1) -> Picture:
    return Picture(width, height, 0, "", ".png", np.zeros(256, np.uint8), (), orientation)


def check(*boxes: RawBox, **changes) -> CheckedBoxes:
    values = {"boxes": boxes, "unit": "px", "recorded_size_px": (100, 50)}
    return check_boxes("a.jpg", Annotations(**values | changes), picture(), OPTIONS)


def kinds(checked: CheckedBoxes) -> list[str]:
    return [problem.kind for problem in checked.problems]


GOOD = RawBox("cat", (10, 10, 30, 30))


@pytest.mark.parametrize(
    ("xyxy", "kind"),
    [
        ((NAN, 1, 20, 20), "unreadable"),
        ((20, 1, 10, 20), "negative_size"),
        ((5, 20, 10, 10), "negative_size"),
        ((20, 20, 20, 30), "too_small"),
        ((0, 0, 0, 0), "too_small"),
        ((20, 20, 21.9, 40), "too_small"),
        ((99, 20, 140, 40), "too_small"),
        ((100, 20, 140, 40), "outside"),
        ((-20, 20, -1, 40), "outside"),
        ((5, 50, 50, 70), "outside"),
        ((10.4, 10.4, 30.4, 30.4), "duplicate"),
    ],
)
def test_bad_boxes_are_dropped(xyxy, kind):
    checked = check(GOOD, RawBox("cat", xyxy))
    assert kinds(checked) == [kind]
    assert checked.boxes.xyxy.tolist() == [[10, 10, 30, 30]]
    assert checked.refusal is None


def test_a_box_of_no_known_class_is_dropped():
    checked = check(GOOD, RawBox("category id 7", (40, 10, 60, 30), known_class=False))
    assert kinds(checked) == ["unknown_class"]
    assert len(checked.boxes) == 1
    assert str(checked.problems[0]) == "a.jpg, box 2: category id 7 [40, 10, 60, 30]"


def test_a_box_that_reaches_beyond_the_picture_is_clipped():
    checked = check(RawBox("cat", (-5, 10, 30, 70)))
    assert kinds(checked) == ["partly_outside"]
    assert checked.boxes.xyxy.tolist() == [[0, 10, 30, 50]]


def test_rounding_is_neither_leaving_nor_too_small():
    checked = check(RawBox("cat", (-0.004, 0, 1.995, 50.003)))
    assert kinds(checked) == []
    assert checked.boxes.xyxy.tolist() == [[0, 0, 1.995, 50]]


def test_crowds_are_kept_as_ignored_and_give_way_to_a_counted_box():
    checked = check(RawBox("cat", (50, 10, 70, 30), True), RawBox("cat", (10, 10, 30, 30), True), GOOD)
    assert kinds(checked) == ["duplicate", "ignored"]
    assert checked.boxes.ignored.tolist() == [True, False]


def test_equal_boxes_of_two_classes_are_two_objects():
    assert len(check(GOOD, RawBox("dog", GOOD.xyxy)).boxes) == 2


def test_an_image_whose_boxes_were_all_bad_is_refused_and_an_empty_one_is_not():
    bad = RawBox("cat", (20, 1, 10, 20)), RawBox("cat", (NAN,) * 4)
    reason = "none of its 2 boxes is usable (negative_size, unreadable); its objects would be unlabelled"
    assert check(*bad).refusal.reason == reason
    assert check(*bad, RawBox("cat", (10, 10, 30, 30), True)).refusal.reason == reason
    assert check().refusal is None
    assert check(RawBox("cat", (10, 10, 30, 30), True)).refusal is None


def test_shares_become_pixels():
    checked = check(RawBox("cat", (0.1, 0.2, 0.5, 1)), unit="share", recorded_size_px=None)
    assert checked.boxes.xyxy.tolist() == [[10, 10, 50, 50]]


def test_boxes_of_a_resized_picture_are_scaled_and_noted():
    checked = check(RawBox("cat", (20, 40, 100, 80)), recorded_size_px=(200, 101))
    assert np.allclose(checked.boxes.xyxy, [[10, 40 * 50 / 101, 50, 80 * 50 / 101]])
    assert checked.notes == ("boxes scaled from the recorded size",)


@pytest.mark.parametrize("recorded", [(50, 100), (640, 480), (10**300, 1)])
def test_annotations_of_another_shape_refuse_the_image(recorded):
    checked = check(GOOD, recorded_size_px=recorded)
    sizes = f"annotated on {recorded[0]}x{recorded[1]} px, but the picture has 100x50 px"
    assert checked.refusal.reason == f"{sizes}, another shape"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("drawn_on", ["stored", "upright"])
def test_boxes_follow_the_exif_rotation(orientation, drawn_on):
    stored = Image.new("L", (40, 24))
    stored.paste(255, (3, 5, 10, 20))
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    stored.save(buffer, "PNG", exif=exif)
    found = inspect_picture(buffer.getvalue(), "a.png", 1)
    upright = ImageOps.exif_transpose(Image.open(buffer))
    there = extent(np.asarray(upright) > 0)
    assert found.orientation == orientation
    if orientation < 5 and drawn_on == "stored":
        return  # both pictures have one size, so nothing tells them apart: the upright one is meant
    box, size = ((3, 5, 10, 20), (40, 24)) if drawn_on == "stored" else (there, upright.size)
    placed, note = place_upright(np.array([box], float), Annotations((), "px", size), found)
    assert tuple(placed[0]) == there
    assert note == ("boxes rotated as EXIF says" if drawn_on == "stored" else "")


@given(st.sampled_from([5, 6, 7, 8]), st.integers(1, 50), st.integers(1, 50))
def test_turning_keeps_the_frame(orientation, width, height):
    assert turn_upright(np.array([[0, 0, width, height]]), (width, height), orientation).tolist() == [
        [0, 0, height, width]
    ]


def test_the_summary_names_rule_count_and_the_first_fifty():
    checked = [check(GOOD, RawBox("cat", (20, 20, 20, 30))) for _ in range(60)]
    summary = summarise([problem for one in checked for problem in one.problems], OPTIONS)
    assert list(summary) == ["too_small"]
    assert summary["too_small"]["count"] == 60
    assert summary["too_small"]["rule"] == "empty, or less than 2 px wide or high inside the picture: dropped"
    assert summary["too_small"]["examples"] == ["a.jpg, box 2: cat [20, 20, 20, 30]"] * 50


def test_every_kind_has_a_rule():
    assert set(rules(OPTIONS)) == {
        "unreadable",
        "unknown_class",
        "negative_size",
        "outside",
        "too_small",
        "duplicate",
        "partly_outside",
        "ignored",
    }
