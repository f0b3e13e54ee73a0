"""Parameters of the export."""

from typing import Literal

from pydantic import Field, RootModel

from diffaug_pipeline.options import Options

ImageFormat = Literal["image_folder", "parquet", "webdataset"]
SceneFormat = Literal["coco", "yolo", "parquet", "webdataset"]


class Licence(Options):
    """What the makers of a model or of pictures allow."""

    licence: str
    commercial_use: bool
    """Whether it allows commercial use of pictures that were made, chosen or labelled with the model."""


class Licences(RootModel[dict[str, Licence]]):
    """Licences by model, and by dataset, under the names that parameters give them."""


class ExportOptions(Options):
    """What to write for others."""

    include: Literal["augmented", "synthetic"]
    """`augmented`: real images of all splits, and the synthetic ones in the training set of the arm augmented;
    `synthetic`: the latter alone."""
    intended_use: Literal["research", "commercial"]
    """`commercial` refuses what contains, or was made with, anything that is not known to allow it."""
    shard_megabytes: float = Field(gt=0)
    """Of images in one file of parquet or WebDataset, about."""


class ImageExportOptions(ExportOptions):
    """For classification."""

    formats: list[ImageFormat] = Field(min_length=1)
    """Each in a folder of its own."""


class SceneExportOptions(ExportOptions):
    """For detection."""

    formats: list[SceneFormat] = Field(min_length=1)
    """Each in a folder of its own."""
