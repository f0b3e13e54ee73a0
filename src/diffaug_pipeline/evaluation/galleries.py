"""Rows of pictures for a page that holds everything it shows."""

import base64
import io
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from PIL import Image

Layout = Literal["small-pictures", "large-pictures", "side-by-side"]
"""Classes of the page's style sheet; `side-by-side` has three pictures to a row."""
SMALL_PX, LARGE_PX = 160, 240
JPEG_QUALITY = 90


@dataclass(frozen=True)
class Picture:
    """One picture and what stands below it; the hint shows when pointed at."""

    source: str
    label: str
    caption: str
    hint: str
    neighbour: str | None = None
    """Source of the real picture it is nearest to, shown beside it."""


@dataclass(frozen=True)
class Gallery:
    """Pictures with a heading."""

    title: str
    subtitle: str
    pictures: list[Picture]
    layout: Layout


def in_turns(ordered: pd.DataFrame, column: str, count: int) -> pd.DataFrame:
    """The first `count` rows, going round the values of `column` so that none fills the gallery alone.

    >>> in_turns(pd.DataFrame({"label": list("aaab")}), "label", 2)["label"].tolist()
    ['a', 'b']
    """
    turn = ordered.groupby(column).cumcount()
    return ordered.assign(turn=turn).sort_values("turn", kind="stable").head(count)


def spread_out(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """At most `count` rows at equal distances.

    >>> spread_out(pd.DataFrame({"n": range(10)}), 3)["n"].tolist()
    [0, 3, 6]
    """
    count = min(count, len(rows))
    return rows.iloc[[position * len(rows) // count for position in range(count)]]


def small_source(image: Image.Image) -> str:
    """What an `<img>` shows: a lossless picture of at most `SMALL_PX`."""
    if max(image.size) > SMALL_PX:
        image.thumbnail((SMALL_PX, SMALL_PX), Image.Resampling.LANCZOS)
    return _data_uri(image, "png")


def large_source(image: Image.Image) -> str:
    """What an `<img>` shows: the picture as it is, compressed, with the colors of thin lines kept."""
    return _data_uri(image, "jpeg", quality=JPEG_QUALITY, subsampling=0)


def _data_uri(image: Image.Image, kind: str, **how: int) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **how)
    return f"data:image/{kind};base64," + base64.b64encode(buffer.getvalue()).decode()
