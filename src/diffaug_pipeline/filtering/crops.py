"""Which boxes of a synthetic scene still show the real object of its source."""

import numpy as np
import pandas as pd

from diffaug_pipeline.imaging.boxes import Boxes, ious
from diffaug_pipeline.imaging.image_set import ImageSet

SAME_BOX_IOU = 0.3
"""A source box still is the same object where at least so much of it agrees: something else may hide a part."""
SAME_LEVEL = 2
"""Brightness levels, of 255, by which an unchanged pixel may differ."""


def unchanged_shares(synthetic: ImageSet, real: ImageSet, table: pd.DataFrame) -> np.ndarray:
    """(N,) share of each box's pixels that are those of the same object in the image's source; 0 without one.

    A box is that of a real object if a box of the source has its label and overlaps it; scene and source have to be of
    one size.
    """
    sources = synthetic.index.set_index("image_id")["source_image_id"]
    shares = []
    for image_id, rows in table.groupby("image_id", sort=False):
        numbers, source = rows["box"].to_numpy(), sources[image_id]
        boxes = synthetic.boxes_of(image_id).where(numbers)
        if pd.isna(source):
            shares.append(np.zeros(len(numbers)))
            continue
        scene, original = np.asarray(synthetic.read(image_id)), np.asarray(real.read(source))
        shares.append(_unchanged(scene, original, boxes, real.boxes_of(source)))
    return np.concatenate(shares) if shares else np.zeros(0)


def _unchanged(scene: np.ndarray, original: np.ndarray, boxes: Boxes, real_boxes: Boxes) -> np.ndarray:
    if scene.shape != original.shape:
        return np.zeros(len(boxes))
    same = np.abs(scene.astype(np.int16) - original).max(2) <= SAME_LEVEL
    overlap = ious(boxes.xyxy, real_boxes.xyxy) * (boxes.labels[:, None] == real_boxes.labels[None])
    is_real = overlap.max(1, initial=0.0) >= SAME_BOX_IOU
    corners = np.concatenate([np.floor(boxes.xyxy[:, :2]), np.ceil(boxes.xyxy[:, 2:])], axis=1).astype(int).clip(0)
    regions = [same[top:bottom, left:right] for left, top, right, bottom in corners]
    return np.array([float(region.mean()) if region.size else 0.0 for region in regions]) * is_real
