"""What resampling, storage and bending do to pictures (Hendrycks and Dietterich 2019, section 3.1).

Every function takes (H, W, 3) float32 pixels in [0, 1] and returns the same.
"""

import io

import cv2
import numpy as np
from PIL import Image

SMOOTHNESS = 0.06
"""Scale on which `elastic_transform` bends, as a share of the picture's side."""


def pixelate(pixels: np.ndarray, _: np.random.Generator, block_px: float) -> np.ndarray:
    """Reduced to one pixel per block, and enlarged again."""
    image = to_image(pixels)
    reduced = max(1, int(image.width / block_px)), max(1, int(image.height / block_px))
    return to_pixels(image.resize(reduced, Image.Resampling.BOX).resize(image.size, Image.Resampling.BOX))


def jpeg_compression(pixels: np.ndarray, _: np.random.Generator, quality: float) -> np.ndarray:
    """Stored as JPEG and read again."""
    buffer = io.BytesIO()
    to_image(pixels).save(buffer, "JPEG", quality=round(quality))
    with Image.open(buffer) as image:
        return to_pixels(image)


def elastic_transform(pixels: np.ndarray, rng: np.random.Generator, shift: float) -> np.ndarray:
    """Pixels move smoothly, by `shift` of the side in root mean square (Simard et al. 2003)."""
    height, width = pixels.shape[:2]
    side = float(np.sqrt(height * width))
    field = rng.uniform(-1, 1, (height, width, 2))
    field = cv2.GaussianBlur(field, (0, 0), SMOOTHNESS * side, borderType=cv2.BORDER_REFLECT)
    field *= shift * side / np.sqrt((field**2).sum(2).mean())
    right, down = np.meshgrid(np.arange(width), np.arange(height))
    return cv2.remap(
        pixels,
        (right + field[:, :, 0]).astype(np.float32),
        (down + field[:, :, 1]).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def to_image(pixels: np.ndarray) -> Image.Image:
    """In 8 bits; values outside [0, 1] are cut off."""
    return Image.fromarray((pixels.clip(0, 1) * 255).round().astype(np.uint8))


def to_pixels(image: Image.Image) -> np.ndarray:
    """(H, W, 3) float32 in [0, 1]."""
    return np.asarray(image, dtype=np.float32) / 255
