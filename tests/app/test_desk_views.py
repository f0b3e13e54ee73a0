"""What the filter desk says of a run."""

import re

import pandas as pd
import pytest

from diffaug_pipeline.app.desk_views import describe_dial, show_tiles
from diffaug_pipeline.filtering.desk import Dial

BY_CLASS = {"clip_score": {"cat": 0.5123, "dog": 0.7}}


def dial(rule: str, column: str, lowest: float = 0.2, highest: float = 0.9, of_boxes: bool = False) -> Dial:
    return Dial(rule, column, lowest, highest, by_class=column == "clip_score", of_boxes=of_boxes)


def test_a_slider_stands_at_the_threshold_of_the_class_and_says_what_it_is_about():
    of_all = describe_dial(dial("clip_score", "clip_score"), {"clip_score": 0.65}, BY_CLASS, None)
    assert of_all["label"] == "clip score: clip score"
    assert of_all["value"] == 0.65
    assert of_all["info"] == "an image needs at least this; calibrated 0.512 to 0.700 by class"
    assert describe_dial(dial("clip_score", "clip_score"), BY_CLASS, BY_CLASS, None)["value"] == pytest.approx(0.606)
    of_cat = describe_dial(dial("clip_score", "clip_score", of_boxes=True), BY_CLASS, BY_CLASS, "cat")
    assert (of_cat["value"], of_cat["info"]) == (0.512, "every box needs at least this; calibrated 0.512")
    shared = describe_dial(dial("blank", "contrast"), {"contrast": 0.1}, {"contrast": 0.2}, "cat")
    assert shared["info"] == "an image needs at least this; calibrated 0.200; of all classes"


def test_a_slider_reaches_every_score_and_threshold_and_is_never_without_a_range():
    contrast, count = {"contrast": 0.1}, {"undeclared_objects": 0}
    wide = describe_dial(dial("blank", "contrast", 0.12345, 0.98765), contrast, contrast, None)
    assert (wide["minimum"], wide["maximum"], wide["step"]) == (0.1, 0.988, 0.001)
    counts = describe_dial(dial("undeclared_objects", "undeclared_objects", 0.0, 0.0), count, count, None)
    assert (counts["minimum"], counts["maximum"], counts["step"]) == (0, 1, 1)
    assert counts["info"] == "an image needs at most this; calibrated 0.000"


def test_a_tile_says_what_becomes_of_its_image():
    rows = pd.DataFrame(
        {
            "image_id": ["synthetic:<b>/1", "synthetic:b/2", "synthetic:c/3", "synthetic:d/4"],
            "clip_score": [0.5, 0.25, None, 0.1],
            "accepted": [True, False, True, False],
            "reason": [None, "zero_shot", None, "by_hand"],
            "by_hand": ["keep", None, None, "reject"],
            "new": [True, False, False, True],
        }
    )
    page = show_tiles(rows, ["data:a", "data:b", "data:c", "data:d"], "clip_score", "synthetic:b/2")
    texts = [" ".join(re.sub(r"<[^>]+>", " ", tile).split()) for tile in page.split("</button>")[:-1]]
    assert texts == [
        "&lt;b&gt;/1 0.500 kept by hand (new)",
        "b/2 0.250 rejected by zero shot",
        "c/3 no score kept",
        "d/4 0.100 rejected by hand (new)",
    ]
    pressed = re.findall(r'value="([^"]+)"[^>]*aria-pressed="true"', page)
    assert pressed == ["synthetic:b/2"]
    assert "No image is like that." in show_tiles(rows.head(0), [], "clip_score", None)
