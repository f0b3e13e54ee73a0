"""What the filter desk says in words, tables and pictures."""

import math
from collections.abc import Hashable, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.app.desk_room import PICTURE_PX, OpenRun
from diffaug_pipeline.app.pictures import TEMPLATES
from diffaug_pipeline.evaluation.galleries import large_source
from diffaug_pipeline.filtering.by_hand import DecidedByHand
from diffaug_pipeline.filtering.decisions import BY_HAND, KEEP
from diffaug_pipeline.filtering.desk import Dial, effective_classes
from diffaug_pipeline.filtering.judging import Thresholds
from diffaug_pipeline.filtering.overrides import Overrides, overridable_columns
from diffaug_pipeline.imaging.image_set import ImageSet

PASSES = "_passes"
UNITS = 1000
"""A score's, and so a threshold's, are as fine as anybody could want."""
COMPARED = {"undeclared_objects": "at most", "near_duplicate_distance": "more than"}
"""How images pass by scores that are not the better the higher."""
NO_SCORES = ("image_id", "label", "accepted", "reason", BY_HAND)
ORIGIN = ("label", "prompt", "seed", "strength", "scheduler", "source_image_id")


def source(name: str) -> str:
    """A style sheet or script of the desk."""
    return TEMPLATES.get_template(name).render()


def show_counts(opened: OpenRun, decided: pd.DataFrame, matched: DecidedByHand) -> str:
    """How many would be kept, of all and of each class, beside what the run has kept."""
    now, then = (opened.desk.count_by_class(table) for table in (decided, opened.desk.decisions))
    changed = decided["accepted"][opened.changed(decided)]
    return TEMPLATES.get_template("counts.html.jinja").render(
        kept=int(decided["accepted"].sum()),
        kept_then=int(opened.desk.decisions["accepted"].sum()),
        made=len(decided),
        newly_kept=int(changed.sum()),
        newly_rejected=int((~changed).sum()),
        effective=effective_classes(now["kept"].tolist()),
        effective_then=effective_classes(then["kept"].tolist()),
        classes=now.assign(then=then["kept"]).to_dict("records"),
        counted="boxes" if opened.synthetic_images.target == "boxes" else "images",
        reasons={_in_words(reason): count for reason, count in decided["reason"].value_counts().items()},
        matched=matched,
        by_hand=len(matched.verdicts),
    )


def show_tiles(rows: pd.DataFrame, thumbnails: Sequence[str], column: str, chosen: str | None) -> str:
    """A button per image: picture, name, the score it is sorted by, what becomes of it, and whether that is `new`."""
    return TEMPLATES.get_template("tiles.html.jinja").render(
        tiles=[
            {
                "image_id": row["image_id"],
                "picture": thumbnail,
                "name": row["image_id"].removeprefix("synthetic:"),
                "score": "no score" if pd.isna(row[column]) else f"{row[column]:.3f}",
                "kept": row["accepted"],
                "verdict": _verdict(row),
                "is_new": row["new"],
                "chosen": row["image_id"] == chosen,
            }
            for row, thumbnail in zip(rows.to_dict("records"), thumbnails, strict=True)
        ]
    )


def show_image(opened: OpenRun, row: pd.Series, overrides: Overrides) -> str:
    """One picture, the real one nearest to it, where it comes from, and what each rule makes of it."""
    image_id = row["image_id"]
    made, neighbour = opened.rows.loc[image_id], opened.nearest.get(image_id)
    return TEMPLATES.get_template("judged.html.jinja").render(
        image_id=image_id,
        verdict=_verdict(row),
        picture=_picture(opened, opened.synthetic_images, image_id),
        neighbour_id=neighbour,
        neighbour=None if neighbour is None else _picture(opened, opened.real_images, neighbour),
        origin={name: made[name] for name in ORIGIN if name in made and pd.notna(made[name])},
        scores=_scores(opened, row, overrides),
        failed=[rule for rule in opened.desk.rules if not row[f"{rule}{PASSES}"]],
    )


def describe_dial(dial: Dial, thresholds: Thresholds, calibrated: Thresholds, class_name: str | None) -> dict[str, Any]:
    """Range, place and words of a slider, given the thresholds of its rule; several classes share their median."""
    step = 1 if dial.column == "undeclared_objects" else 1 / UNITS
    at = median(_of_class(thresholds[dial.column], class_name))
    lowest, highest = (
        round(rounded(end * UNITS) / UNITS, 3)
        for rounded, end in ((math.floor, min(dial.lowest, at)), (math.ceil, max(dial.highest, at)))
    )
    ends = sorted({f"{needed:.3f}" for needed in _of_class(calibrated[dial.column], class_name)}, key=float)
    notes = [
        f"{'every box' if dial.of_boxes else 'an image'} needs {COMPARED.get(dial.column, 'at least')} this",
        f"calibrated {ends[0]}" if len(ends) == 1 else f"calibrated {ends[0]} to {ends[-1]} by class",
    ]
    if class_name is not None and not dial.by_class:
        notes.append("of all classes")
    return {
        "label": f"{dial.rule}: {dial.column}".replace("_", " "),
        "info": "; ".join(notes),
        "minimum": lowest,
        "maximum": max(highest, lowest + step),
        "step": step,
        "value": round(at, 3),
    }


def _of_class(needed: float | Mapping[str, float], class_name: str | None) -> list[float]:
    if not isinstance(needed, Mapping):
        return [needed]
    return [needed[class_name]] if class_name in needed else list(needed.values())


def _scores(opened: OpenRun, row: pd.Series, overrides: Overrides) -> list[tuple[str, str, str]]:
    """Name, value and threshold of all that rules go by: of the image and, of a scene, of each box that was judged."""
    thresholds, settable = opened.desk.thresholds(overrides), overridable_columns()
    # Other scores than these are not compared with a threshold one by one.
    needed = {column: thresholds[rule][column] for rule in settable if rule in thresholds for column in settable[rule]}

    def describe(name: str, column: str, value: Any, label: str | None) -> tuple[str, str, str]:
        of_column = needed.get(column)
        threshold = of_column.get(label) if isinstance(of_column, Mapping) else of_column
        return name.replace("_", " "), _written(value), _written(threshold)

    columns = [column for column in row.index if column not in NO_SCORES and not column.endswith(PASSES)]
    scores = row[columns].dropna().items()
    boxes = opened.desk.boxes_of(row["image_id"]).set_index(["box", "label"]).stack()
    return [
        *(describe(opened.desk.name_of(column), column, value, row.get("label")) for column, value in scores),
        *(
            describe(f"box {number}, {label}: {column}", column, value, label)
            for (number, label, column), value in boxes.items()
        ),
    ]


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.3f}"


def _verdict(row: Mapping[Hashable, Any]) -> str:
    if row["accepted"]:
        return "kept by hand" if row[BY_HAND] == KEEP else "kept"
    return f"rejected {_in_words(row['reason'])}"


def _in_words(reason: str) -> str:
    return "by hand" if reason == BY_HAND else f"by {reason.replace('_', ' ')}"


def _picture(opened: OpenRun, images: ImageSet, image_id: str) -> str:
    return large_source(opened.draw(images, image_id, PICTURE_PX))
