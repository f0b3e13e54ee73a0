"""The images of a set as ordinary files that any library decodes to the same pixels, synthetic ones marked as such."""

import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from PIL import Image

from diffaug_pipeline.formats.files import USUAL_SUFFIXES
from diffaug_pipeline.formats.provenance import mark, provenance_records
from diffaug_pipeline.imaging.image_set import EncodedImage, ImageSet, read_unchanged
from diffaug_pipeline.imaging.preparation import encode_png, open_image
from diffaug_pipeline.progress import track

COPIED_FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
COPIED_MODES = ("RGB", "L")
MARKED_FORMATS = ("PNG",)
ORIENTATION_TAG = 0x0112
LONGEST_STEM = 100


def export_images(images: ImageSet, folder: Path, taken: Iterable[Path] = ()) -> dict[str, Path]:
    """Writes each image into `folder` and returns its file by image_id; no two files, nor any `taken`, share a stem.

    See `portable_files`. Copies, not hard links: Ultralytics repairs damaged JPEG files in place.
    """
    return export_into(images, [folder] * len(images), taken)


def export_into(images: ImageSet, folders: Sequence[Path], taken: Iterable[Path] = ()) -> dict[str, Path]:
    """The same with a folder for each image; stems differ within each."""
    stems = {path.stem.casefold() for path in taken}
    taken_in: dict[Path, set[str]] = defaultdict(stems.copy)
    written = {}
    for image_id, folder, file in zip(images.index["image_id"], folders, portable_files(images), strict=True):
        if folder not in taken_in:
            folder.mkdir(parents=True, exist_ok=True)
        written[image_id] = folder / f"{_new_stem(image_id, taken_in[folder])}{file.suffix}"
        written[image_id].write_bytes(file.content)
    return written


def portable_files(images: ImageSet, formats: Sequence[str] = COPIED_FORMATS) -> Iterator[EncodedImage]:
    """Each image in index order as the content of a file in one of `formats`, as Pillow names them.

    Files are copied byte for byte; those that libraries read differently (rotated by EXIF, with transparency, 16-bit,
    animated), or in other formats, become upright RGB in PNG. Synthetic images are PNG and carry their provenance
    (`formats.provenance`). Raises `VersionError` if a file is gone or has changed since it was indexed.
    """
    rows = zip(images.index.itertuples(), provenance_records(images), strict=True)
    for row, provenance in track(rows, len(images), "copying images", "images"):
        content, is_synthetic = read_unchanged(row.path, row.sha256), row.origin == "synthetic"
        suffix = _suffix_if_plain(content, MARKED_FORMATS if is_synthetic else formats)
        if suffix is None:
            content, suffix = encode_png(open_image(content)), ".png"
        yield EncodedImage(mark(content, provenance) if is_synthetic else content, suffix)


def file_stems(image_ids: Iterable[str]) -> list[str]:
    """A stem without dots for each image, all different, whatever the case.

    >>> file_stems(["a/b.v2.png", "a b.v2"])
    ['a_b_v2', 'a_b_v2-2']
    """
    taken: set[str] = set()
    return [_new_stem(safe_stem(image_id).replace(".", "_"), taken) for image_id in image_ids]


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


def _suffix_if_plain(content: bytes, formats: Sequence[str]) -> str | None:
    """The usual suffix of a file that every library decodes alike; None if it has to be written anew."""
    with Image.open(io.BytesIO(content)) as image:
        plain = (
            image.format in formats
            and image.mode in COPIED_MODES
            and not image.has_transparency_data
            and image.getexif().get(ORIENTATION_TAG, 1) in (0, 1)
            and getattr(image, "n_frames", 1) == 1
        )
        return USUAL_SUFFIXES[image.format][0] if plain else None
