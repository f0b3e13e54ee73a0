"""The images of a set as ordinary files that any library decodes to the same pixels."""

import hashlib
import io
import re
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.formats.files import USUAL_SUFFIXES
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import encode_png

COPIED_FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
COPIED_MODES = ("RGB", "L")
ORIENTATION_TAG = 0x0112
LONGEST_STEM = 100


def export_images(images: ImageSet, folder: Path, taken: Iterable[Path] = ()) -> dict[str, Path]:
    """Writes each image into `folder` and returns its file by image_id; no two files, nor any `taken`, share a stem.

    Files are copied byte for byte; those that libraries read differently (rotated by EXIF, with transparency, 16-bit,
    animated) are written as upright RGB in PNG. Copies, not hard links: Ultralytics repairs damaged JPEG files in
    place. Raises `VersionError` if a file is gone or has changed since it was indexed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stems = {path.stem.casefold() for path in taken}
    written = {}
    for row in images.index.itertuples():
        content = _unchanged(Path(row.path), row.sha256)
        suffix = _suffix_if_plain(content)
        stem = _new_stem(row.image_id, stems)
        written[row.image_id] = folder / f"{stem}{suffix or '.png'}"
        written[row.image_id].write_bytes(content if suffix else encode_png(images.read(row.image_id)))
    return written


def labels_of(images: ImageSet) -> list[str]:
    """Sorted class names of the boxes that count, then those that only ignored boxes have."""
    counted = images.class_names
    return counted + sorted({str(label) for boxes in images.boxes for label in boxes.labels} - set(counted))


def safe_stem(image_id: str) -> str:
    """A file name, without suffix, of letters and digits that any system and library takes.

    >>> safe_stem("train/my cat.v2.jpg"), safe_stem("../.png")
    ('train_my_cat.v2', 'image')
    """
    stem = re.sub(r"\.[A-Za-z]{3,4}$", "", image_id)
    return re.sub(r"[^A-Za-z0-9._-]+", "_", stem).strip("._-")[-LONGEST_STEM:].strip("._-") or "image"


def _new_stem(image_id: str, taken: set[str]) -> str:
    stem = candidate = safe_stem(image_id)
    number = 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{stem}-{number}"
    taken.add(candidate.casefold())
    return candidate


def _unchanged(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise VersionError(f"{path} is gone; put it back, or start a new run without it.") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise VersionError(f"{path} has changed since it was indexed; put it back, or start a new run with it.")
    return content


def _suffix_if_plain(content: bytes) -> str | None:
    """The usual suffix of a file that every library decodes alike; None if it has to be written anew."""
    with Image.open(io.BytesIO(content)) as image:
        plain = (
            image.format in COPIED_FORMATS
            and image.mode in COPIED_MODES
            and not image.has_transparency_data
            and image.getexif().get(ORIENTATION_TAG, 1) in (0, 1)
            and getattr(image, "n_frames", 1) == 1
        )
        return USUAL_SUFFIXES[image.format][0] if plain else None
