"""Under which keys features are stored: equal content has equal keys, whatever the image is called."""

import hashlib

import pandas as pd

from diffaug_pipeline.imaging.image_set import ImageSet


def image_keys(images: ImageSet) -> list[str]:
    """The key of each whole picture, in index order: the digest of its file."""
    return images.index["sha256"].tolist()


def box_keys(images: ImageSet, table: pd.DataFrame, context: float) -> list[str]:
    """The key of each crop of `Crops(images, table, context)`: from the picture's, the box's place, the context."""
    digests = dict(zip(images.index["image_id"], images.index["sha256"], strict=True))
    return [
        _digest(f"{digests[row.image_id]} {images.boxes_of(row.image_id).xyxy[row.box].tolist()} {float(context)}")
        for row in table.itertuples()
    ]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
