"""What is to be embedded: the distinct pictures of image sets, and the whole of each or its distinct boxes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from diffaug_pipeline.features.crops import list_boxes
from diffaug_pipeline.features.keys import box_keys, image_keys
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import square_crop


@dataclass(frozen=True)
class Picture:
    """One content, by whichever of the images that have it."""

    images: ImageSet
    image_id: str
    subjects: list[int]
    """Rows of `Subjects.keys`."""

    def read(self) -> Image.Image:
        """Upright, RGB."""
        return self.images.read(self.image_id)


@dataclass(frozen=True)
class Subjects:
    """The distinct contents of image sets and what a model is shown of them, in the order of the sets."""

    pictures: dict[str, Picture]
    """By the key of the whole picture."""
    keys: list[str]
    """One per subject."""
    boxes: list[np.ndarray] | None
    """(4,) each, in pixels; None where subjects are whole pictures."""
    crop_context: float | None

    @classmethod
    def whole_pictures(cls, sets: Sequence[ImageSet]) -> "Subjects":
        """Every picture is shown as it is."""
        pictures: dict[str, Picture] = {}
        for images in sets:
            for key, image_id in zip(image_keys(images), images.index["image_id"], strict=True):
                pictures.setdefault(key, Picture(images, image_id, [len(pictures)]))
        return cls(pictures, list(pictures), None, None)

    @classmethod
    def boxes_of(cls, sets: Sequence[ImageSet], crop_context: float) -> "Subjects":
        """Of every picture the crops of the boxes that count are shown."""
        pictures: dict[str, Picture] = {}
        rows: dict[str, int] = {}
        places = []
        for images in sets:
            pictures_of = {}
            for key, image_id in zip(image_keys(images), images.index["image_id"], strict=True):
                pictures_of[image_id] = pictures.setdefault(key, Picture(images, image_id, []))
            table = list_boxes(images)
            for key, image_id, box in zip(
                box_keys(images, table, crop_context), table["image_id"], table["box"], strict=True
            ):
                if key not in rows:
                    rows[key] = len(rows)
                    places.append(images.boxes_of(image_id).xyxy[box])
                    pictures_of[image_id].subjects.append(rows[key])
        return cls(pictures, list(rows), places, crop_context)

    def show(self, image: Image.Image, subject: int) -> Image.Image:
        """What of `image` is shown as this subject."""
        return image if self.boxes is None else square_crop(image, self.boxes[subject], self.crop_context)
