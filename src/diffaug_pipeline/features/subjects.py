"""What is to be embedded: the distinct pictures of image sets, and the whole of each or its distinct boxes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from diffaug_pipeline.features.crops import list_boxes
from diffaug_pipeline.features.keys import box_keys, image_keys
from diffaug_pipeline.imaging.image_set import ImageSet, read_unchanged
from diffaug_pipeline.imaging.preparation import open_image


@dataclass(frozen=True)
class Picture:
    """One content, by whichever of the images that have it."""

    path: str
    sha256: str
    subjects: dict[int, np.ndarray | None]
    """Rows of `Subjects.keys`: (4,) the box in pixels, None where the whole picture is shown."""

    def read(self) -> Image.Image:
        """Upright, RGB; raises `VersionError` like `ImageSet.read`."""
        return open_image(read_unchanged(self.path, self.sha256))


@dataclass(frozen=True)
class Subjects:
    """The distinct contents of image sets and what a model is shown of them, in the order of the sets."""

    pictures: dict[str, Picture]
    """By the key of the whole picture."""
    keys: list[str]
    """One per subject."""
    crop_context: float | None

    @classmethod
    def whole_pictures(cls, sets: Sequence[ImageSet]) -> "Subjects":
        """Every picture is shown as it is."""
        pictures: dict[str, Picture] = {}
        for images in sets:
            for key, path, sha256 in _files_of(images):
                pictures.setdefault(key, Picture(path, sha256, {len(pictures): None}))
        return cls(pictures, list(pictures), None)

    @classmethod
    def boxes_of(cls, sets: Sequence[ImageSet], crop_context: float) -> "Subjects":
        """Of every picture the crops of the boxes that count are shown."""
        pictures: dict[str, Picture] = {}
        rows: dict[str, int] = {}
        for images in sets:
            pictures_of = {
                image_id: pictures.setdefault(key, Picture(path, sha256, {}))
                for image_id, (key, path, sha256) in zip(images.index["image_id"], _files_of(images), strict=True)
            }
            table = list_boxes(images)
            for key, image_id, box in zip(
                box_keys(images, table, crop_context), table["image_id"], table["box"], strict=True
            ):
                if key not in rows:
                    rows[key] = len(rows)
                    pictures_of[image_id].subjects[rows[key]] = images.boxes_of(image_id).xyxy[box]
        return cls(pictures, list(rows), crop_context)


def _files_of(images: ImageSet) -> Iterator[tuple[str, str, str]]:
    """Key, path and digest of each."""
    return zip(image_keys(images), images.index["path"], images.index["sha256"], strict=True)
