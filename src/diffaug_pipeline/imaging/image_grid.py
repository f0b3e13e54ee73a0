"""A grid of pictures under titles: what varies in a study runs along its rows and columns."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

SMALLEST_CELL_PX, LARGEST_CELL_PX = 96, 192
WIDEST_ROW_TITLE_PX = 220
GAP_PX = 4
MARGIN_PX = 10
LINE_PX = 17
FONT_PX = 13
EMPTY = "#eef2f6"


def draw_grid(
    cells: Sequence[Sequence[Image.Image | None]],
    row_titles: Sequence[str],
    column_titles: Sequence[str],
    caption: str,
) -> Image.Image:
    """`cells`, row by row, in squares as wide as the largest picture, but between 96 and 192 pixels.

    Small pictures are enlarged by a whole factor, so that each of their pixels stays to be seen; None leaves a square
    empty. Titles may have several lines; what is too long for its place is cut. Raises ValueError where rows or columns
    and their titles differ in number.
    """
    _check_shape(cells, row_titles, column_titles)
    font = ImageFont.load_default(FONT_PX)
    side = _cell_px(cells)
    beside = [_cut(title, WIDEST_ROW_TITLE_PX, font) for title in row_titles]
    above = [_cut(title, side, font) for title in column_titles]
    left = 2 * MARGIN_PX + max((_width(title, font) for title in beside), default=0)
    top = MARGIN_PX + _height(above)
    width = left + len(above) * (side + GAP_PX) - GAP_PX + MARGIN_PX
    below = _wrapped(caption, width - 2 * MARGIN_PX, font)
    bottom = top + len(beside) * (side + GAP_PX)
    sheet = Image.new("RGB", (width, bottom + MARGIN_PX + _height([below])), "white")
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(above):
        middle = left + column * (side + GAP_PX) + side / 2
        draw.multiline_text((middle, top - 5), title, fill="black", font=font, anchor="md", align="center")
    for row, title in enumerate(beside):
        corner = top + row * (side + GAP_PX)
        draw.multiline_text((MARGIN_PX, corner + side / 2), title, fill="black", font=font, anchor="lm")
        for column, picture in enumerate(cells[row]):
            sheet.paste(_square(picture, side), (left + column * (side + GAP_PX), corner))
    draw.multiline_text((MARGIN_PX, bottom + 2), below, fill="gray", font=font)
    return sheet


def _check_shape(
    cells: Sequence[Sequence[Image.Image | None]], row_titles: Sequence[str], column_titles: Sequence[str]
) -> None:
    if len(cells) != len(row_titles):
        raise ValueError(f"{len(cells)} rows of pictures have {len(row_titles)} titles; give each row one.")
    if wrong := [row for row, pictures in enumerate(cells) if len(pictures) != len(column_titles)]:
        raise ValueError(
            f"row {wrong[0]} has {len(cells[wrong[0]])} pictures for {len(column_titles)} columns; put None where one "
            "is missing."
        )


def _cell_px(cells: Sequence[Sequence[Image.Image | None]]) -> int:
    largest = max((max(picture.size) for row in cells for picture in row if picture is not None), default=0)
    return min(max(largest, SMALLEST_CELL_PX), LARGEST_CELL_PX)


def _square(picture: Image.Image | None, side: int) -> Image.Image:
    square = Image.new("RGB", (side, side), EMPTY if picture is None else "white")
    if picture is not None:
        factor = side // max(picture.size)
        shown = ImageOps.scale(picture, factor, Image.Resampling.NEAREST) if factor > 1 else picture
        shown = ImageOps.contain(shown, (side, side), Image.Resampling.BICUBIC) if factor < 1 else shown
        square.paste(shown, ((side - shown.width) // 2, (side - shown.height) // 2))
    return square


def _cut(title: str, width_px: int, font: ImageFont.FreeTypeFont) -> str:
    return "\n".join(_cut_line(line, width_px, font) for line in title.split("\n"))


def _cut_line(line: str, width_px: int, font: ImageFont.FreeTypeFont) -> str:
    if font.getlength(line) <= width_px:
        return line
    while line and font.getlength(line + "…") > width_px:
        line = line[:-1]
    return line + "…"


def _wrapped(text: str, width_px: int, font: ImageFont.FreeTypeFont) -> str:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def _width(title: str, font: ImageFont.FreeTypeFont) -> int:
    return round(max(font.getlength(line) for line in title.split("\n")))


def _height(titles: Sequence[str]) -> int:
    return LINE_PX * max((title.count("\n") + 1 for title in titles), default=0)
