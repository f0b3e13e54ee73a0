"""One file or blob: is it a picture, what is odd about it, what does it hash to."""

import hashlib
import io
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from diffaug_pipeline.formats.files import USUAL_SUFFIXES
from diffaug_pipeline.imaging.preparation import to_rgb

THUMBNAIL_PX = 16
ORIENTATION_TAG = 0x0112


@dataclass(frozen=True)
class Picture:
    """A picture that decodes completely."""

    width_px: int
    height_px: int
    size_bytes: int
    sha256: str
    suffix: str
    thumbnail: np.ndarray
    """See `gray_thumbnail`."""
    notes: tuple[str, ...]
    """What had to be handled: color mode, rotation, a misleading name."""
    orientation: int = 1
    """The EXIF number, 1 to 8, of how the file's pixels were turned to become the upright picture."""

    @property
    def columns(self) -> dict[str, int | str]:
        """What an index says of the file (`imaging.image_set`)."""
        return {
            "width_px": self.width_px,
            "height_px": self.height_px,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
        }


@dataclass(frozen=True)
class Refusal:
    """Why a file is no usable picture."""

    reason: str


def inspect_picture(content: bytes, name: str, max_megapixels: float) -> Picture | Refusal:
    """Decodes `content` completely; `name` is only used to notice a misleading suffix."""
    if not content:
        return Refusal("the file is empty")
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        raise RuntimeError(
            "PIL.ImageFile.LOAD_TRUNCATED_IMAGES is set; damaged pictures could not be told from whole ones"
        )
    try:
        with Image.open(io.BytesIO(content), formats=_readable_formats()) as image:
            width, height = image.size
            if width * height > max_megapixels * 1e6:
                return Refusal(f"{width}x{height} px is more than {max_megapixels:g} megapixels")
            notes = _notes(image, name)
            suffix = USUAL_SUFFIXES[image.format][0]
            image.load()
            orientation = image.getexif().get(ORIENTATION_TAG, 1)
            upright = to_rgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError:
        return Refusal("the content is not a picture in a known format")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Refusal(f"more than {max_megapixels:g} megapixels")
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged input
        return Refusal(f"damaged: {' '.join(str(error).split()) or type(error).__name__}")
    return Picture(
        width_px=upright.width,
        height_px=upright.height,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        suffix=suffix,
        thumbnail=gray_thumbnail(upright),
        notes=notes,
        orientation=orientation if orientation in range(1, 9) else 1,
    )


@cache
def _readable_formats() -> tuple[str, ...]:
    """Of the formats we read those that this build of Pillow opens; MPO is opened as JPEG."""
    Image.init()
    return tuple(name for name in USUAL_SUFFIXES if name in Image.OPEN)


def gray_thumbnail(image: Image.Image) -> np.ndarray:
    """(256,) uint8: the picture as 16x16 gray, by which near duplicates are found."""
    gray = ImageOps.grayscale(image).resize((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BOX)
    return np.asarray(gray).reshape(-1)


def _has_more_frames(image: Image.Image) -> bool:
    """Pillow counts frames by going through all of them, of which a file of any size may claim many."""
    try:
        image.seek(1)
    except EOFError:
        return False
    image.seek(0)
    return True


def _notes(image: Image.Image, name: str) -> tuple[str, ...]:
    notes = []
    if image.mode.startswith(("I", "F")):
        notes.append(f"mode {image.mode} scaled to 8 bits")
    elif image.mode not in ("RGB", "L"):
        notes.append(f"mode {image.mode} converted to RGB")
    if image.getexif().get(ORIENTATION_TAG, 1) not in (0, 1):
        notes.append("rotated as EXIF says")
    if _has_more_frames(image):
        notes.append("first of several frames used")
    suffix = PurePosixPath(name).suffix.lower()
    if suffix and suffix not in USUAL_SUFFIXES[image.format]:
        notes.append(f"{image.format} content in a file named {suffix}")
    return tuple(notes)
