"""Corruptions in rows, severities in columns."""

from PIL import Image

from diffaug_pipeline.imaging.image_grid import draw_grid
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.options import Fit
from diffaug_pipeline.robustness.corrupted_images import (
    CLEAN,
    CLEAN_SEVERITY,
    CorruptedImageSet,
    limit_test_images,
    shrink,
)
from diffaug_pipeline.robustness.options import RobustnessOptions


def draw_corruptions(real_images: ImageSet, options: RobustnessOptions, input_size_px: int, fit: Fit) -> Image.Image:
    """One of the test images as it is, then under each corruption, just as the networks are shown it."""
    images = shrink(limit_test_images(real_images, options).where(split="test"), input_size_px, fit)
    shown = _shown_image(images)
    clean = CorruptedImageSet.of(images, None, [], options.seed).read(f"{CLEAN}/{CLEAN_SEVERITY}/{shown}")
    cells = []
    for corruption in options.corruptions:
        corrupted = CorruptedImageSet.of(images, corruption, options.severities, options.seed)
        cells.append([clean, *(corrupted.read(f"{corruption}/{severity}/{shown}") for severity in options.severities)])
    return draw_grid(
        cells,
        row_titles=[corruption.replace("_", " ") for corruption in options.corruptions],
        column_titles=["clean", *(f"severity {severity}" for severity in options.severities)],
        caption="One real test image, clean and corrupted.",
    )


def _shown_image(images: ImageSet) -> str:
    """The first that shows something."""
    for row in images.index.itertuples():
        if images.target == "label" or len(images.boxes_of(row.image_id).counted()):
            return row.image_id
    raise ValueError(
        f"none of the {len(images)} test images has a box that counts; put images with objects into the test split."
    )
