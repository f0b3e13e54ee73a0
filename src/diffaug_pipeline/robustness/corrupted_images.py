"""Real test images, and corrupted ones that look like any image set and are made as they are read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from PIL import Image

from diffaug_pipeline.imaging.boxes import areas
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.options import Fit
from diffaug_pipeline.robustness.corruptions import corrupt
from diffaug_pipeline.robustness.options import Corruption, RobustnessOptions
from diffaug_pipeline.seeding import derive_seed

CLEAN, CLEAN_SEVERITY = "none", 0


def limit_test_images(real_images: ImageSet, options: RobustnessOptions) -> ImageSet:
    """The dataset with at most `max_images` test images, drawn at random, each class with its share of them."""
    test = real_images.where(split="test").index
    drawn = test.assign(turn=[derive_seed(options.seed, "robustness", image_id) for image_id in test["image_id"]])
    strata = drawn["label"] if "label" in drawn else pd.Series("all", index=drawn.index)
    order = drawn.groupby(strata)["turn"]
    place = (order.rank(method="first") - 0.5) / order.transform("size")  # in (0, 1), evenly spaced within a class
    chosen = drawn.assign(place=place).sort_values(["place", "turn"])["image_id"].head(options.max_images)
    left_out = set(test["image_id"]) - set(chosen)
    return ImageSet(real_images.index[~real_images.index["image_id"].isin(left_out)].reset_index(drop=True))


def shrink(images: ImageSet, input_size_px: int, fit: Fit) -> ImageSet:
    """An index as if no picture had more pixels than a network of `input_size_px` sees of it, boxes included.

    Noise on a photograph of many megapixels would be gone once it is reduced for the network.
    `CorruptedImageSet` reads pictures at the size their rows say.
    """
    index = images.index
    longer, shorter = index[["width_px", "height_px"]].max(axis=1), index[["width_px", "height_px"]].min(axis=1)
    factor = (input_size_px / (longer if fit == "contain" else shorter)).clip(upper=1)
    sizes = {name: (index[name] * factor).round().clip(lower=1).astype(int) for name in ("width_px", "height_px")}
    if images.target == "label":
        return ImageSet(index.assign(**sizes))
    scales = np.stack([sizes[name] / index[name] for name in sizes], axis=1)
    boxes = [
        of_image.placed_at(of_image.xyxy * np.tile(scale, 2)).records()
        for of_image, scale in zip(images.boxes, scales, strict=True)
    ]
    return ImageSet(index.assign(**sizes, boxes=boxes))


def object_sizes(images: ImageSet) -> list[float]:
    """(N,) the side, in pixels, of what each picture shows: of the picture, or the median of all boxes that count."""
    if images.target == "label":
        return np.sqrt(images.index["width_px"] * images.index["height_px"]).tolist()
    sides = np.sqrt(np.concatenate([areas(boxes.counted().xyxy) for boxes in images.boxes]))
    return [float(np.median(sides))] * len(images)


@dataclass(frozen=True)
class CorruptedImageSet(ImageSet):
    """Images as their rows say: `clean_image_id` at `width_px` x `height_px`, with `corruption` at `severity`.

    Constants of the corruption go by the column `object_px`. Nothing is stored.
    """

    seed: int

    @classmethod
    def of(
        cls, images: ImageSet, corruption: Corruption | None, severities: Sequence[int], seed: int
    ) -> "CorruptedImageSet":
        """Each of `images` at each severity; at none where `corruption` is None. Names of images say which."""
        index = images.index.assign(object_px=object_sizes(images), clean_image_id=images.index["image_id"])
        conditions = [(CLEAN, CLEAN_SEVERITY)] if corruption is None else [(corruption, level) for level in severities]
        parts = [
            index.assign(corruption=name, severity=level, image_id=f"{name}/{level}/" + index["image_id"])
            for name, level in conditions
        ]
        return cls(pd.concat(parts, ignore_index=True), seed)

    def read(self, image_id: str) -> Image.Image:
        """One image, upright, RGB, corrupted."""
        return self._corrupted(self._rows.loc[image_id], super().read(image_id))

    def __iter__(self) -> Iterator[Image.Image]:
        """All images in index order, one at a time, each like `read`."""
        rows = self.index.itertuples(index=False)
        return (self._corrupted(row, image) for row, image in zip(rows, super().__iter__(), strict=True))

    @cached_property
    def _rows(self) -> pd.DataFrame:
        return self.index.set_index("image_id")

    def _corrupted(self, row: pd.Series, image: Image.Image) -> Image.Image:
        size = int(row.width_px), int(row.height_px)
        shown = image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)
        if row.corruption == CLEAN:
            return shown
        seed = derive_seed(self.seed, row.clean_image_id, row.corruption, int(row.severity))
        return corrupt(shown, row.corruption, int(row.severity), seed, row.object_px)
