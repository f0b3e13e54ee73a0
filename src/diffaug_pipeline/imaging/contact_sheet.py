"""A grid picture of an image set: one row of thumbnails per class."""

from collections.abc import Callable

import pandas as pd
from PIL import Image, ImageDraw, ImageFont, ImageOps

MAX_ROWS = 12
MAX_COLUMNS = 12
THUMBNAIL_PX = 64
LABEL_WIDTH_PX = 120
GAP_PX = 4
MIN_WIDTH_PX = 400


def draw_contact_sheet(index: pd.DataFrame, read: Callable[[str], Image.Image]) -> Image.Image:
    """The first images of each class; `read` opens a path of the index. Shows what is there when it is empty."""
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
        for column, path in enumerate(_spread(of_class["path"].tolist())):
            thumbnail = ImageOps.contain(read(path), (THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BICUBIC)
            sheet.paste(thumbnail, (LABEL_WIDTH_PX + column * cell, top))
    omitted = f", {len(labels) - len(shown)} classes not shown" if len(labels) > len(shown) else ""
    caption = f"{len(index):,} images, {len(labels)} classes{omitted}"
    draw.text((8, sheet.height - 20), caption, fill="gray", font=font)
    return sheet


def _spread(paths: list[str]) -> list[str]:
    """Up to `MAX_COLUMNS` paths, evenly spaced over the list."""
    if len(paths) <= MAX_COLUMNS:
        return paths
    return [paths[i * len(paths) // MAX_COLUMNS] for i in range(MAX_COLUMNS)]


def _shortened(label: str, longest: int = 15) -> str:
    return label if len(label) <= longest else label[: longest - 1] + "…"
