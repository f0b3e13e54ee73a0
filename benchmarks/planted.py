"""Synthetic images of which the truth is known: nobody generated them, they are real pictures made to pass as such."""

import hashlib
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import encode_png, open_image
from diffaug_pipeline.pretraining.pool import padded_images

JPEG_QUALITY, ENLARGED, CROPPED = 75, 1.5, 0.05


@dataclass(frozen=True)
class Planted:
    """A picture as the bytes of a file, and what is claimed of it."""

    content: bytes
    label: str
    source_image_id: str | None = None


def copies_of_training_images(real_images: ImageSet, per_class: int, rng: np.random.Generator) -> dict[str, Planted]:
    """Files of each class, each with its source: nothing new in them.

    All are drawn once before one is drawn again. Drawn with replacement they would give some images of a few-shot task
    several times the weight of others, which is no longer nothing: all seeds of a repetition would feel it.
    """
    train = real_images.where(split="train").index
    drawn = [of_class.iloc[_draw_in_rounds(len(of_class), per_class, rng)] for _, of_class in train.groupby("label")]
    return {
        f"copy/{number:05d}": Planted(Path(row.path).read_bytes(), row.label, row.image_id)
        for number, row in enumerate(pd.concat(drawn).itertuples())
    }


def _draw_in_rounds(count: int, drawn: int, rng: np.random.Generator) -> np.ndarray:
    rounds = [rng.permutation(count) for _ in range(math.ceil(drawn / count))]
    return np.concatenate(rounds)[:drawn]


def with_wrong_labels(planted: Mapping[str, Planted], share: float, rng: np.random.Generator) -> dict[str, Planted]:
    """`share` of them, drawn at random, labelled as one of the other classes."""
    class_names = sorted({picture.label for picture in planted.values()})
    wrong = set(rng.choice(list(planted), round(share * len(planted)), replace=False).tolist())

    def relabelled(picture: Planted) -> Planted:
        others = [name for name in class_names if name != picture.label]
        return replace(picture, label=others[rng.integers(len(others))])

    return {image_id: relabelled(picture) if image_id in wrong else picture for image_id, picture in planted.items()}


def pool_pictures(pool: pd.DataFrame) -> dict[str, Planted]:
    """Rows of `pretraining.pool`: real pictures that the task does not have."""
    pixels = [encode_png(Image.fromarray(picture)) for picture in padded_images(pool)]
    return {
        f"pool/{row.source_index:05d}": Planted(content, row.class_name)
        for row, content in zip(pool.itertuples(), pixels, strict=True)
    }


def altered(images: ImageSet, way: str) -> dict[str, Planted]:
    """Every one of the real `images` in one of the `WAYS`, without a source: `<way>/<image id>`."""
    return {
        f"{way}/{row.image_id}": Planted(WAYS[way](Path(row.path).read_bytes()), row.label)
        for row in images.index.itertuples()
    }


def as_synthetic(planted: Mapping[str, Planted], folder: Path) -> ImageSet:
    """The image set; files are named by their content, so that equal ones are one."""
    folder.mkdir(parents=True, exist_ok=True)
    return ImageSet(pd.DataFrame([_store(image_id, picture, folder) for image_id, picture in planted.items()]))


def _store(image_id: str, picture: Planted, folder: Path) -> dict[str, object]:
    digest = hashlib.sha256(picture.content).hexdigest()
    path = folder / digest
    path.write_bytes(picture.content)
    width, height = open_image(picture.content).size
    return {
        "image_id": image_id,
        "path": str(path),
        "width_px": width,
        "height_px": height,
        "split": "train",
        "origin": "synthetic",
        "label": picture.label,
        "size_bytes": len(picture.content),
        "sha256": digest,
        "recipe": digest,
        "source_image_id": picture.source_image_id,
    }


def _reencode(content: bytes) -> bytes:
    buffer = io.BytesIO()
    open_image(content).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def _resize(content: bytes) -> bytes:
    image = open_image(content)
    return encode_png(image.resize(tuple(round(ENLARGED * side) for side in image.size), Image.Resampling.BICUBIC))


def _mirror(content: bytes) -> bytes:
    return encode_png(ImageOps.mirror(open_image(content)))


def _crop(content: bytes) -> bytes:
    """Without 5 % on each side, enlarged to the old size."""
    image = open_image(content)
    width, height = image.size
    inner = CROPPED * width, CROPPED * height, (1 - CROPPED) * width, (1 - CROPPED) * height
    return encode_png(image.resize(image.size, Image.Resampling.BICUBIC, box=inner))


WAYS: dict[str, Callable[[bytes], bytes]] = {
    "exact": bytes,
    "re-encoded": _reencode,
    "resized": _resize,
    "mirrored": _mirror,
    "cropped by 5 %": _crop,
}
"""What copies get among synthetic images as."""
