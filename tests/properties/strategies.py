"""Image sets as people have them: any names, boxes anywhere, images for training and others to measure by."""

from pathlib import Path
from typing import Any

import pandas as pd
from factories import real_row
from hypothesis import strategies as st
from PIL import Image

from diffaug_pipeline.imaging.image_set import SPLITS, ImageSet

MOST_PICTURES = 6

visible = st.characters(categories=("L", "N", "P", "S", "Zs"))
names = st.text(visible, min_size=1, max_size=20).map(str.strip).filter(bool)
image_ids = st.text(visible, min_size=1, max_size=40)


@st.composite
def boxes_inside(draw: st.DrawFn, size_px: tuple[int, int], labels: list[str]) -> dict[str, Any]:
    """A record of an index cell; at least a hundredth of a pixel wide and high."""
    left, right = draw(_sides(size_px[0]))
    top, bottom = draw(_sides(size_px[1]))
    return {"label": draw(st.sampled_from(labels)), "xyxy": [left, top, right, bottom], "ignored": draw(st.booleans())}


def _sides(length: int) -> st.SearchStrategy[tuple[float, float]]:
    place = st.floats(0, length, allow_subnormal=False)
    return st.tuples(place, place).map(sorted).filter(lambda sides: sides[1] - sides[0] >= 0.01).map(tuple)


@st.composite
def labelled_sets(draw: st.DrawFn, pictures: list[Path]) -> ImageSet:
    """Some of the `pictures`, each of a class."""
    labels = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    chosen = draw(_some_of(pictures))
    return _image_set(draw, chosen, [{"label": draw(st.sampled_from(labels))} for _ in chosen])


@st.composite
def annotated_sets(draw: st.DrawFn, pictures: list[Path]) -> ImageSet:
    """Some of the `pictures`, each with some boxes, at least one of which counts."""
    labels = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    chosen = draw(_some_of(pictures))
    cells = [draw(st.lists(boxes_inside(_size(path), labels), max_size=5)) for path in chosen]
    cells[0].append(draw(boxes_inside(_size(chosen[0]), labels)) | {"ignored": False})
    return _image_set(draw, chosen, [{"boxes": cell} for cell in cells])


def _some_of(pictures: list[Path]) -> st.SearchStrategy[list[Path]]:
    return st.lists(st.sampled_from(pictures), min_size=2, max_size=MOST_PICTURES, unique=True)


def _image_set(draw: st.DrawFn, chosen: list[Path], targets: list[dict[str, Any]]) -> ImageSet:
    ids = draw(st.lists(image_ids, min_size=len(chosen), max_size=len(chosen), unique=True))
    further = st.lists(st.sampled_from(SPLITS), min_size=len(chosen) - 2, max_size=len(chosen) - 2)
    splits = ["train", draw(st.sampled_from(SPLITS[1:])), *draw(further)]
    described = zip(chosen, ids, splits, targets, strict=True)
    rows = [real_row(path, image_id, split, **target) for path, image_id, split, target in described]
    return ImageSet(pd.DataFrame(rows))


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size
