"""Rows of scenes that are real training pictures of which something was drawn anew."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.labelling.scene_rows import scene_row


def sourced_scene_rows(
    generated: ImageSet,
    real_images: ImageSet,
    strategy: str,
    options: dict[str, Any],
    picture_columns: Sequence[str] = (),
) -> pd.DataFrame:
    """One row per generated picture, with the `boxes` of its real one.

    `options` are those that determine how the two become one; so do `picture_columns` of the generated picture, which
    the rows take over.
    """
    contents = real_images.index.set_index("image_id")["sha256"]
    rows = []
    for picture in generated.index.to_dict("records"):
        source = picture["source_image_id"]
        boxes = real_images.boxes_of(source).records()
        taken = {column: _plain(picture[column]) for column in picture_columns}
        determining = {"picture": picture["sha256"], "source": contents[source], "boxes": boxes} | options | taken
        rows.append(scene_row(picture["image_id"], strategy, source, picture, determining) | {"boxes": boxes} | taken)
    return pd.DataFrame(rows)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value
