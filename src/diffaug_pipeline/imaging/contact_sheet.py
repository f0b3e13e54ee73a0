"""A grid picture of an image set: one row of thumbnails per class, or scenes with their boxes."""

from collections.abc import Callable
from typing import TypeVar

import pandas as pd
from PIL import Image, ImageDraw, ImageFont, ImageOps

from diffaug_pipeline.imaging.box_drawing import class_colors, draw_boxes
from diffaug_pipeline.imaging.boxes import Boxes

MAX_ROWS = 12
MAX_COLUMNS = 12
THUMBNAIL_PX = 64
LABEL_WIDTH_PX = 120
GAP_PX = 4
MIN_WIDTH_PX = 400
SCENE_ROWS, SCENE_COLUMNS, SCENE_PX = 4, 6, 192

Item = TypeVar("Item")


def draw_contact_sheet(index: pd.DataFrame, read: Callable[[str], Image.Image]) -> Image.Image:
    """Images spread over the index; `read` opens a path of the index. Shows what is there when it is empty."""
    return _draw_scenes(index, read) if "boxes" in index else _draw_classes(index, read)


def _draw_scenes(index: pd.DataFrame, read: Callable[[str], Image.Image]) -> Image.Image:
    boxes = [Boxes.of(records) for records in index["boxes"]]
    colors = class_colors(sorted({label for of_image in boxes for label in of_image.labels}))
    shown = _spread(list(range(len(index))), SCENE_ROWS * SCENE_COLUMNS)
    cell, rows = SCENE_PX + GAP_PX, -(-len(shown) // SCENE_COLUMNS)
    sheet = Image.new("RGB", (SCENE_COLUMNS * cell + GAP_PX, rows * cell + 28), "white")
    for place, position in enumerate(shown):
        scene = draw_boxes(read(index["path"].iloc[position]), boxes[position], colors, size_px=SCENE_PX)
        row, column = divmod(place, SCENE_COLUMNS)
        sheet.paste(scene, (GAP_PX + column * cell, GAP_PX + row * cell))
    caption = f"{len(index):,} images, {sum(map(len, boxes)):,} boxes of {len(colors)} classes"
    ImageDraw.Draw(sheet).text((8, sheet.height - 20), caption, fill="gray", font=ImageFont.load_default(13))
    return sheet


def _draw_classes(index: pd.DataFrame, read: Callable[[str], Image.Image]) -> Image.Image:
    labels = sorted(index["label"].unique())
    shown = labels[:MAX_ROWS]
    cell = THUMBNAIL_PX + GAP_PX
    columns = min(MAX_COLUMNS, max(index["label"].value_counts(), default=0))
    width = max(LABEL_WIDTH_PX + columns * cell + GAP_PX, MIN_WIDTH_PX)
    sheet = Image.new("RGB", (width, max(1, len(shown)) * cell + 28), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    for row, label in enumerate(shown):
        top = GAP_PX + row * cell
        of_class = index[index["label"] == label]
        draw.text((8, top + 16), _shortened(label), fill="black", font=font)
        draw.text((8, top + 34), f"{len(of_class):,} images", fill="gray", font=ImageFont.load_default(11))
        for column, path in enumerate(_spread(of_class["path"].tolist(), MAX_COLUMNS)):
            thumbnail = ImageOps.contain(read(path), (THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BICUBIC)
            sheet.paste(thumbnail, (LABEL_WIDTH_PX + column * cell, top))
    omitted = f", {len(labels) - len(shown)} classes not shown" if len(labels) > len(shown) else ""
    caption = f"{len(index):,} images, {len(labels)} classes{omitted}"
    draw.text((8, sheet.height - 20), caption, fill="gray", font=font)
    return sheet


def _spread(items: list[Item], most: int) -> list[Item]:
    """Up to `most` items, evenly spaced over the list."""
    if len(items) <= most:
        return items
    return [items[i * len(items) // most] for i in range(most)]


def _shortened(label: str, longest: int = 15) -> str:
    return label if len(label) <= longest else label[: longest - 1] + "…"
