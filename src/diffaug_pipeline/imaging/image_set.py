"""An image set: an index table with one row per image, and pixels read when asked for.

Columns of the index, in this order; a set has those that apply to it and any number of others behind them.

| column | type | meaning |
|---|---|---|
| `image_id` | str | unique within the set |
| `path` | str | the file; absolute in memory |
| `width_px`, `height_px` | int | size after the EXIF rotation is applied |
| `split` | str | `train`, `val` or `test` |
| `origin` | str | `real` or `synthetic` |
| `label` | str | class name (classification) |
| `boxes` | list of records | objects (detection), see `imaging.boxes`; a set has either `label` or `boxes` |
| `size_bytes`, `sha256` | int, str | of the file |
| `recipe` | str or null | hash of all that determines the pixels; null for a user's file used in place |

Synthetic rows add `source_image_id`, `mode`, `prompt`, `negative_prompt`, `seed`, `strength`, `guidance_scale`,
`num_inference_steps`, `scheduler`, `eta`, `timestep_spacing`, `model`, `model_revision`, `adapters`; scenes `strategy`
and, for the model that cut out or found their objects, `labeller`, `labeller_revision`. Training sets add what
`merging.training_sets` describes.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import pandas as pd
from PIL import Image

from diffaug_pipeline.engines.engine import Engine
from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.preparation import encode_png, open_image

SPLITS = ("train", "val", "test")
ORIGINS = ("real", "synthetic")
TARGETS = ("label", "boxes")
COLUMNS = ("image_id", "path", "width_px", "height_px", "split", "origin", "size_bytes", "sha256", "recipe")
"""What every index has beside its target."""


@dataclass(frozen=True)
class ImageSet:
    """Images that exist. Cheap to pass around: no pixel is held."""

    index: pd.DataFrame

    def __post_init__(self) -> None:
        check_index(self.index)

    def __len__(self) -> int:
        return len(self.index)

    def where(self, **values: str) -> Self:
        """The images whose columns equal `values`, e.g. `real_images.where(split="train")`."""
        chosen = pd.Series(True, index=self.index.index)
        for column, value in values.items():
            chosen &= self.index[column] == value
        return replace(self, index=self.index[chosen].reset_index(drop=True))

    @property
    def target(self) -> str:
        """`label` or `boxes`."""
        return target_of(self.index)

    @cached_property
    def class_names(self) -> list[str]:
        """Sorted class names of all images, or of all boxes that count."""
        if self.target == "label":
            return sorted(self.index["label"].unique())
        return sorted({str(label) for boxes in self.boxes for label in boxes.counted().labels})

    @cached_property
    def boxes(self) -> list[Boxes]:
        """The boxes of each image, in index order; of a detection set only."""
        return [Boxes.of(records) for records in self.index["boxes"]]

    def boxes_of(self, image_id: str) -> Boxes:
        """The boxes of one image."""
        return self.boxes[self._positions[image_id]]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {image_id: position for position, image_id in enumerate(self.index["image_id"])}

    @cached_property
    def _files(self) -> pd.DataFrame:
        return self.index.set_index("image_id")[["path", "sha256"]]

    def read(self, image_id: str) -> Image.Image:
        """One image, upright, RGB. Raises `VersionError` if its file is gone or has changed since it was indexed."""
        return _open_unchanged(*self._files.loc[image_id])

    def __iter__(self) -> Iterator[Image.Image]:
        """All images in index order, one at a time, each like `read`."""
        return (_open_unchanged(*file) for file in zip(self.index["path"], self.index["sha256"], strict=True))


def read_unchanged(path: str, sha256: str) -> bytes:
    """The content of a file. Raises `VersionError` if it is gone or has changed since it was indexed."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise VersionError(f"{path} is gone; put it back, or start a new run without it.") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise VersionError(f"{path} has changed since it was indexed; put it back, or start a new run with it.")
    return content


def _open_unchanged(path: str, sha256: str) -> Image.Image:
    return open_image(read_unchanged(path, sha256))


@dataclass(frozen=True)
class EncodedImage:
    """A picture as the bytes of an image file; one whose boxes its plan cannot know carries them (`encode_png`)."""

    content: bytes
    suffix: str


@dataclass(frozen=True)
class DrawnImage:
    """A picture that becomes the bytes of a PNG file when these are asked for, by whichever thread writes them."""

    image: Image.Image
    suffix: str = ".png"

    @property
    def content(self) -> bytes:
        """See `encode_png`."""
        return encode_png(self.image)


ImageFile = EncodedImage | DrawnImage


class MakeImages(Protocol):
    """Makes the images of some rows of a plan, in their order; raises `BatchTooLargeError` where memory is short."""

    def __call__(self, rows: pd.DataFrame) -> Sequence[ImageFile]:
        """As many images as rows."""


@dataclass(frozen=True)
class Quota:
    """When enough images of a class have been made."""

    images: int
    """That have to pass, of each class."""
    judge: Callable[[ImageSet], np.ndarray]
    """(N,) bool, which of N made images pass; each is judged by itself, whatever the others are."""


@dataclass(frozen=True)
class PlannedImageSet:
    """Images still to be made; whoever stores them drives the making, batch by batch.

    `plan` holds the final index but for `path`, sizes and `sha256`, and without `boxes` where they are only known once
    an image is made (`EncodedImage`). Rows of one batch agree in `batch_columns`; `making_columns` are needed to make
    the images and are not kept.
    """

    plan: pd.DataFrame
    make_images: MakeImages
    batch_size: int
    batch_columns: tuple[str, ...] = ()
    making_columns: tuple[str, ...] = ()
    description: str = "images"
    engine: Engine | None = None
    """Whose workers make the images in place of this process; each is begun with what is called like `make_images`."""
    quota: Quota | None = None
    """Makes the rows of each `label` candidates, in their order: those it takes to meet the quota become the set."""

    def batches(self, missing: pd.DataFrame) -> list[list[str]]:
        """The recipes of `missing` rows cut into batches; equal rows in equal order give equal batches."""
        unique = missing.drop_duplicates("recipe")
        if not self.batch_columns:
            groups = [unique]
        else:
            groups = [group for _, group in unique.groupby(list(self.batch_columns), sort=False, dropna=False)]
        return [
            group["recipe"].iloc[start : start + self.batch_size].tolist()
            for group in groups
            for start in range(0, len(group), self.batch_size)
        ]


def target_of(index: pd.DataFrame) -> str:
    """Which of `TARGETS` the index has."""
    return next(target for target in TARGETS if target in index)


def leading_columns(target: str) -> list[str]:
    """The columns every index of this target starts with, in their order."""
    place = COLUMNS.index("origin") + 1
    return [*COLUMNS[:place], target, *COLUMNS[place:]]


def check_index(index: pd.DataFrame) -> None:
    """Raises ValueError naming every rule the index breaks.

    >>> check_index(pd.DataFrame({"image_id": ["a", "a"], "label": ["cat", "dog"]}))
    Traceback (most recent call last):
    ...
    ValueError: not an image set: columns missing: path, width_px, height_px, split, origin, size_bytes, sha256, \
recipe; image_id repeats: a
    """
    problems = []
    if sum(target in index for target in TARGETS) != 1:
        problems.append(f"exactly one of the columns {' and '.join(TARGETS)} is needed")
    if missing := [column for column in COLUMNS if column not in index]:
        problems.append(f"columns missing: {', '.join(missing)}")
    if "image_id" in index and (repeated := index["image_id"][index["image_id"].duplicated()].tolist()):
        problems.append(f"image_id repeats: {', '.join(repeated[:5])}")
    for column, allowed in (("split", SPLITS), ("origin", ORIGINS)):
        if column in index and (unknown := sorted(set(index[column]) - set(allowed))):
            problems.append(f"{column} is {', '.join(map(repr, unknown))}; allowed: {', '.join(allowed)}")
    if problems:
        raise ValueError("not an image set: " + "; ".join(problems))
