"""The report on detectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from diffaug_pipeline.evaluation.comparison import BASELINE, TREATMENT
from diffaug_pipeline.evaluation.filter_rules import (
    SCENE_DESCRIPTIONS,
    against_random,
    caption_score,
    describe_by_hand,
    nearest_real,
    tabulate_rules,
)
from diffaug_pipeline.evaluation.galleries import LARGE_PX, Gallery, Picture, large_source, spread_out
from diffaug_pipeline.evaluation.report import ReportContent, render_page
from diffaug_pipeline.imaging.box_drawing import class_colors, draw_boxes
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.image_set import SPLITS, ImageSet

ARM_COLUMNS = {
    "map_50_95": "mAP50-95",
    "map_50": "mAP50",
    "map_75": "mAP75",
    "map_small": "mAP small",
    "map_medium": "medium",
    "map_large": "large",
}
BOX_SCORES = {
    "clip_score": "CLIP percentile {:.2f}",
    "zero_shot": "margin {:+.2f}",
    "detector_agreement": "confirmed at IoU {:.2f}",
    "undeclared_objects": "undeclared {:.0f}",
}
"""Of columns of the decisions, where they have them."""
RANKED_BY = "clip_score"
HINTS = ("prompt", "seed", "source_image_id")
SHOWN_CONFIDENCE = 0.25
COMPARED_IMAGES = 8

Colors = Mapping[str, tuple[int, int, int]]


@dataclass(frozen=True)
class DetectionReportContent(ReportContent):
    """With what the arms found on the test images."""

    predictions: dict[str, pd.DataFrame]
    """Of `real_only` and `augmented`."""


def render_detection_report(content: DetectionReportContent) -> str:
    """The page."""
    return render_page(
        "detection",
        content,
        galleries=_galleries(content),
        arm_columns=ARM_COLUMNS,
        judged="boxes",
        rules=tabulate_rules(content.calibration, SCENE_DESCRIPTIONS),
        by_hand=describe_by_hand(content.calibration),
        against_random=against_random(content.comparison),
        splits=SPLITS,
    )


def _galleries(content: DetectionReportContent) -> list[Gallery]:
    """What the networks see; real scenes; the best and worst kept, and the rejected by rule."""
    colors = class_colors(content.real_images.class_names)
    best_first, worst_first = (content.decisions.sort_values(RANKED_BY, ascending=up) for up in (False, True))
    count = content.gallery_images
    train = content.real_images.where(split="train")
    scenes = [_scene(train, image_id, colors) for image_id in spread_out(train.index, count)["image_id"]]
    selections = [
        (
            "Best kept",
            "accepted, highest CLIP percentile of the box that fits its class worst",
            best_first[best_first["accepted"]],
        ),
        ("Worst kept", "accepted, lowest such percentile", worst_first[worst_first["accepted"]]),
        *(
            (f"Rejected by {rule['name']}", rule["description"], worst_first[worst_first["reason"] == rule["name"]])
            for rule in tabulate_rules(content.calibration, SCENE_DESCRIPTIONS)
        ),
    ]
    return [
        _what_the_networks_see(content, colors),
        Gallery("Real training images", "what the synthetic ones are measured against", scenes, "large-pictures"),
        *(
            Gallery(title, subtitle, _synthetic(content, rows.head(count), colors), "large-pictures")
            for title, subtitle, rows in selections
        ),
    ]


def _what_the_networks_see(content: DetectionReportContent, colors: Colors) -> Gallery:
    """Test images three times: the truth and what one network of each arm finds."""
    test, seed = content.real_images.where(split="test"), content.comparison["seeds"][0]
    found = {
        arm: table[table["seed"] == seed].set_index("image_id")["boxes"] for arm, table in content.predictions.items()
    }
    pictures = []
    for image_id in spread_out(test.index, min(COMPARED_IMAGES, content.gallery_images))["image_id"]:
        pictures.append(_scene(test, image_id, colors, label="truth"))
        for arm in (BASELINE, TREATMENT):
            sure = [row for row in found[arm][image_id] if row["confidence"] >= SHOWN_CONFIDENCE]
            shown, shown_colors = _with_confidence(sure, colors)
            drawn = draw_boxes(test.read(image_id), shown, shown_colors, LARGE_PX)
            pictures.append(Picture(large_source(drawn), arm, _count(len(sure), "detection"), hint=image_id))
    subtitle = (
        f"test images at equal distances: truth, {BASELINE}, {TREATMENT}; networks of seed {seed}, "
        f"confidence from {SHOWN_CONFIDENCE:g}"
    )
    return Gallery("What the networks see", subtitle, pictures, "side-by-side")


def _with_confidence(records: list[Mapping[str, Any]], colors: Colors) -> tuple[Boxes, Colors]:
    """Detections as boxes that are called by class and confidence, least confident first, and the colors of those."""
    rows = sorted(records, key=lambda row: row["confidence"])
    called = {f"{row['label']} {row['confidence']:.2f}": colors[row["label"]] for row in rows}
    boxes = [row | {"label": f"{row['label']} {row['confidence']:.2f}", "ignored": False} for row in rows]
    return Boxes.of(boxes), called


def _scene(images: ImageSet, image_id: str, colors: Colors, label: str | None = None) -> Picture:
    """A real image with its true boxes, called by its classes unless by `label`."""
    boxes = images.boxes_of(image_id)
    drawn = draw_boxes(images.read(image_id), boxes, colors, LARGE_PX)
    ignored = int(boxes.ignored.sum())
    caption = _count(len(boxes) - ignored, "object") + (f", {ignored} ignored" if ignored else "")
    return Picture(large_source(drawn), label or _classes(boxes), caption, hint=image_id)


def _classes(boxes: Boxes) -> str:
    return ", ".join(sorted(set(boxes.counted().labels))) or "no object"


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _synthetic(content: DetectionReportContent, rows: pd.DataFrame, colors: Colors) -> list[Picture]:
    images, index = content.synthetic_images, content.synthetic_images.index.set_index("image_id")
    nearest = nearest_real(content.copies, content.real_images)
    pictures = []
    for row in rows.to_dict("records"):
        image_id = row["image_id"]
        boxes = images.boxes_of(image_id)
        drawn = draw_boxes(images.read(image_id), boxes, colors, LARGE_PX)
        scores = [words.format(row[name]) for name, words in BOX_SCORES.items() if pd.notna(row.get(name))]
        origin = [f"{name} {index.at[image_id, name]}" for name in HINTS if pd.notna(index.at[image_id, name])]
        pictures.append(
            Picture(
                large_source(drawn),
                label=_classes(boxes),
                caption=" · ".join([*scores, *filter(None, [caption_score(row, row["reason"])])]),
                hint=", ".join([image_id, *origin]),
                neighbour=large_source(content.real_images.read(nearest[image_id])) if image_id in nearest else None,
            )
        )
    return pictures
