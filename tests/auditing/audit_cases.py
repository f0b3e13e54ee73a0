"""Copies as they get among synthetic images, and image sets of which nothing but the index is needed."""

import io
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from PIL import Image

from diffaug_pipeline.auditing.options import AuditingOptions
from diffaug_pipeline.embedded import embedded_folder
from diffaug_pipeline.imaging.image_set import ImageSet

OPTIONS = AuditingOptions(false_alarm_rate=0.002, candidates=16)


def reencoded(picture: Image.Image, file_format: str, quality: int) -> Image.Image:
    """As it comes back from a lossy file."""
    buffer = io.BytesIO()
    picture.save(buffer, file_format, quality=quality)
    return Image.open(buffer).convert("RGB")


def cropped(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Without these shares of its sides."""
    width, height = picture.size
    return picture.crop(
        (round(left * width), round(top * height), round((1 - right) * width), round((1 - bottom) * height))
    )


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "exact": lambda picture: picture,
    "jpeg": lambda picture: reencoded(picture, "JPEG", 75),
    "webp": lambda picture: reencoded(picture, "WEBP", 80),
    "enlarged": lambda picture: picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.BICUBIC),
    "reduced": lambda picture: picture.resize(
        (round(0.75 * picture.width), round(0.75 * picture.height)), Image.Resampling.LANCZOS
    ),
    "mirrored": lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "cropped": lambda picture: cropped(picture, 0.05, 0.05, 0.05, 0.05),
    "cropped on one side": lambda picture: cropped(picture, 0.0, 0.05, 0.05, 0.0),
}


def embedded_garments(split: str, count: int) -> list[Image.Image]:
    """Pictures of the embedded few-shot task, evenly spread over its classes."""
    folder = embedded_folder("embedded:fashion_few_shot")
    files = pd.read_parquet(folder / f"{split}-00000-of-00001.parquet")["image"]
    chosen = files.iloc[np.linspace(0, len(files) - 1, count).astype(int)]
    return [Image.open(io.BytesIO(file["bytes"])).convert("RGB") for file in chosen]


def image_set(image_ids: Sequence[str], splits: Sequence[str], origin: str, **columns: Sequence) -> ImageSet:
    """An index without files."""
    index = pd.DataFrame({"image_id": image_ids, "split": splits, **columns})
    nothing = {"path": "", "width_px": 32, "height_px": 32, "label": "any", "size_bytes": 0, "sha256": ""}
    return ImageSet(index.assign(origin=origin, recipe=None, **nothing))
