"""Parameters of ingestion."""

from typing import Literal

from pydantic import Field

from diffaug_pipeline.options import Options


class SplitLimits(Options):
    """At most this many images in each split; null takes all."""

    train: int | None = Field(ge=1)
    val: int | None = Field(ge=1)
    test: int | None = Field(ge=1)


class SplitShares(Options):
    """Share of the images that becomes each split where the dataset does not say; the rest is train."""

    val: float = Field(gt=0, lt=0.5)
    test: float = Field(gt=0, lt=0.5)


class ReadingOptions(Options):
    """What the ingestion of all tasks shares."""

    dataset: str
    """A folder, a parquet file, or `embedded:<name>`."""
    split_shares: SplitShares
    max_megapixels: float = Field(gt=0)
    """Larger pictures are refused before they are decoded."""
    max_file_megabytes: float = Field(gt=0)
    """Larger pictures are refused before they are read."""
    near_duplicate_distance: float = Field(ge=0, le=1)
    """Root mean squared difference of 16x16 thumbnails on [0, 1] below which two pictures stay in one split."""
    seed: int = Field(ge=0)
    """Decides which images are drawn into splits and limits."""


class IngestionOptions(ReadingOptions):
    """Which dataset of labelled pictures, and how it is read."""

    format: Literal["auto", "image_folder", "parquet"]
    """`auto` looks at what lies in the folder."""
    images_per_class: SplitLimits
    """Limits for each class."""


class DetectionIngestionOptions(ReadingOptions):
    """Which dataset of pictures with boxes, and how it is read."""

    format: Literal["auto", "coco", "yolo", "voc", "csv"]
    """`auto` looks at what lies in the folder."""
    images: SplitLimits
    """Limits for all classes together."""
    min_box_px: float = Field(ge=0)
    """Boxes that are narrower or lower, inside the picture, are dropped."""
    duplicate_iou: float = Field(gt=0, le=1)
    """Boxes of one class that overlap at least so much are one object."""
