"""The boxes of an image set one by one: as table rows, and as pictures of their crops."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from PIL import Image

from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import square_crop


def list_boxes(images: ImageSet) -> pd.DataFrame:
    """One row per box that counts: `image_id`, `box` (its number in the image), `label`."""
    rows = [
        (image_id, int(number), str(boxes.labels[number]))
        for image_id, boxes in zip(images.index["image_id"], images.boxes, strict=True)
        for number in np.flatnonzero(~boxes.ignored)
    ]
    return pd.DataFrame(rows, columns=["image_id", "box", "label"])


@dataclass(frozen=True)
class Crops:
    """The pictures of boxes, in the order of `table`; each image is opened once."""

    images: ImageSet
    table: pd.DataFrame
    """Rows of `list_boxes`, those of an image together."""
    context: float

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[Image.Image]:
        for image_id, rows in self.table.groupby("image_id", sort=False):
            image, boxes = self.images.read(image_id), self.images.boxes_of(image_id)
            for number in rows["box"]:
                yield square_crop(image, boxes.xyxy[number], self.context)
