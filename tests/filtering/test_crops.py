"""Which boxes of a synthetic scene show what a person labelled."""

import numpy as np
import pandas as pd
import pytest
from factories import annotated_image_set
from PIL import Image

from diffaug_pipeline.features.crops import list_boxes
from diffaug_pipeline.filtering.crops import unchanged_shares
from diffaug_pipeline.imaging.image_set import ImageSet


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ImageSet:
    return annotated_image_set(tmp_path_factory.mktemp("real"))


def copy_of(real: ImageSet, folder, change) -> ImageSet:
    """A synthetic scene per real image: its pixels after `change`, its boxes, its id as the source."""
    from hashlib import sha256

    folder.mkdir()
    rows = []
    for row in real.index.to_dict("records"):
        path = folder / f"{row['image_id']}.png"
        change(np.array(real.read(row["image_id"])), row["boxes"]).save(path)
        digest = sha256(path.read_bytes()).hexdigest()
        added = {"image_id": f"synthetic:{row['image_id']}", "source_image_id": row["image_id"], "sha256": digest}
        rows.append(row | added | {"path": str(path), "origin": "synthetic", "split": "train"})
    return ImageSet(pd.DataFrame(rows))


def test_an_untouched_copy_is_unchanged_throughout(real, tmp_path):
    same = copy_of(real, tmp_path / "same", lambda pixels, _: Image.fromarray(pixels))
    assert (unchanged_shares(same, real, list_boxes(same)) == 1).all()


def test_a_picture_drawn_anew_is_changed_throughout(real, tmp_path):
    other = copy_of(real, tmp_path / "other", lambda pixels, _: Image.fromarray(255 - pixels // 2))
    assert (unchanged_shares(other, real, list_boxes(other)) < 0.05).all()


def test_a_half_hidden_object_is_half_unchanged(real, tmp_path):
    def hide(pixels: np.ndarray, boxes: list) -> Image.Image:
        for box in boxes:
            left, top, right, bottom = (round(side) for side in box["xyxy"])
            pixels[top:bottom, left : (left + right) // 2] = 255 - pixels[top:bottom, left : (left + right) // 2] // 2
        return Image.fromarray(pixels)

    hidden = copy_of(real, tmp_path / "hidden", hide)
    shares = unchanged_shares(hidden, real, list_boxes(hidden))
    assert np.median(shares) == pytest.approx(0.5, abs=0.12)


def test_a_new_object_is_not_a_real_one_even_where_pixels_stayed(real, tmp_path):
    same = copy_of(real, tmp_path / "same", lambda pixels, _: Image.fromarray(pixels))
    renamed = [[box | {"label": "something else"} for box in boxes] for boxes in same.index["boxes"]]
    relabelled = ImageSet(same.index.assign(boxes=renamed))
    assert (unchanged_shares(relabelled, real, list_boxes(relabelled)) == 0).all()


def test_a_scene_without_source_has_nothing_unchanged(real, tmp_path):
    same = copy_of(real, tmp_path / "same", lambda pixels, _: Image.fromarray(pixels))
    orphans = ImageSet(same.index.assign(source_image_id=None))
    assert (unchanged_shares(orphans, real, list_boxes(orphans)) == 0).all()
