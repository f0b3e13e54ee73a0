"""Storage: every artifact is versioned, exists whole or not at all, and is plain files anybody can open."""

from diffaug_pipeline.datasets.feature_set import FeatureSetDataset
from diffaug_pipeline.datasets.files import (
    HTMLDataset,
    JSONDataset,
    ParquetDataset,
    PictureDataset,
    PlotlyDataset,
)
from diffaug_pipeline.datasets.folder import CheckpointDataset, ExportedDataset
from diffaug_pipeline.datasets.image_set import ImageSetDataset
from diffaug_pipeline.datasets.run_record import RunRecordDataset

__all__ = [
    "CheckpointDataset",
    "ExportedDataset",
    "FeatureSetDataset",
    "HTMLDataset",
    "ImageSetDataset",
    "JSONDataset",
    "ParquetDataset",
    "PictureDataset",
    "PlotlyDataset",
    "RunRecordDataset",
]
