"""Pictures with their boxes drawn, for people to check."""

import colorsys
from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from diffaug_pipeline.imaging.boxes import Boxes

GOLDEN_RATIO = 0.618034
FONT_PX = 11


def class_colors(class_names: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """A color per class, well apart, the same for the same list of classes."""
    colors = {}
    for number, name in enumerate(class_names):
        channels = colorsys.hsv_to_rgb(number * GOLDEN_RATIO % 1, 0.75, 1.0)
        colors[name] = tuple(round(255 * channel) for channel in channels)
    return colors


def draw_boxes(
    image: Image.Image, boxes: Boxes, colors: Mapping[str, tuple[int, int, int]], size_px: int
) -> Image.Image:
    """`image` enlarged or reduced so that its longer side is `size_px`, with boxes and class names on it.

    Boxes that are ignored have no name and a thin gray outline.
    """
    factor = size_px / max(image.size)
    scaled = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    drawn = image.resize(scaled, Image.Resampling.BICUBIC)
    draw, font = ImageDraw.Draw(drawn), ImageFont.load_default(FONT_PX)
    for label, xyxy, ignored in zip(boxes.labels, boxes.xyxy * factor, boxes.ignored, strict=True):
        left, top, right, bottom = xyxy.tolist()
        outline = (left, top, max(left, right - 1), max(top, bottom - 1))
        if ignored:
            draw.rectangle(outline, outline="gray", width=1)
            continue
        draw.rectangle(outline, outline=colors[label], width=2)
        place = draw.textbbox((left + 1, max(0, top - FONT_PX - 2)), label, font=font)
        draw.rectangle((place[0] - 1, place[1] - 1, place[2] + 1, place[3] + 1), fill=colors[label])
        draw.text((left + 1, max(0, top - FONT_PX - 2)), label, fill="black", font=font)
    return drawn
