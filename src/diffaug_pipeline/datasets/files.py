"""Small artifacts: kedro-datasets' formats, published atomically."""

import base64
import json
from abc import abstractmethod
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro_datasets._typing import HTMLPreview, ImagePreview, JSONPreview, PlotlyPreview, TablePreview

from diffaug_pipeline.datasets.artifact import VersionedArtifact


class FileDataset(VersionedArtifact):
    """One file; the format is kedro-datasets' business.

    An `optional` one is made by a pipeline that not every run includes; where there is none, it loads as None.
    """

    def __init__(self, *, optional: bool = False, **entry: Any):
        super().__init__(**entry)
        self.is_optional = optional

    @abstractmethod
    def format_at(self, path: Path) -> AbstractDataset:
        """The unversioned dataset that reads and writes the file at `path`."""

    def save(self, data: Any) -> None:
        with self.staging() as staged:
            self.format_at(staged).save(data)
            self.publish(staged)

    def load(self) -> Any:
        if self.is_optional and not self.exists():
            return None
        return self.format_at(self.load_path).load()


class ParquetDataset(FileDataset):
    """A table, in and out as a pandas DataFrame."""

    def format_at(self, path: Path) -> AbstractDataset:
        from kedro_datasets.pandas import ParquetDataset

        return ParquetDataset(filepath=str(path), save_args={"index": False})

    def preview(self, nrows: int = 10) -> TablePreview:
        shown = json.loads(self.load().head(nrows).to_json(orient="split"))
        # Kedro-Viz cannot send arrays, which lists have become, and does not fold long cells.
        shown["data"] = [[_shorten(cell) for cell in row] for row in shown["data"]]
        return TablePreview(shown)


class JSONDataset(FileDataset):
    """Dictionaries and lists."""

    def format_at(self, path: Path) -> AbstractDataset:
        from kedro_datasets.json import JSONDataset

        return JSONDataset(filepath=str(path), save_args={"indent": 2, "sort_keys": False})

    def preview(self) -> JSONPreview:
        return self.format_at(self.load_path).preview()


class PlotlyDataset(FileDataset):
    """A plotly figure."""

    def format_at(self, path: Path) -> AbstractDataset:
        from kedro_datasets.plotly import JSONDataset

        return JSONDataset(filepath=str(path))

    def preview(self) -> PlotlyPreview:
        return self.format_at(self.load_path).preview()


class HTMLDataset(FileDataset):
    """A page, in and out as text."""

    def format_at(self, path: Path) -> AbstractDataset:
        from kedro_datasets.text import TextDataset

        return TextDataset(filepath=str(path))

    def preview(self) -> HTMLPreview:
        return HTMLPreview(self.load())


class PictureDataset(FileDataset):
    """One picture, in and out as a `PIL.Image`; its file name says the format."""

    def format_at(self, path: Path) -> AbstractDataset:
        from kedro_datasets.pillow import ImageDataset

        return ImageDataset(filepath=str(path))

    def preview(self) -> ImagePreview:
        return ImagePreview(base64.b64encode(self.load_path.read_bytes()).decode())


def _shorten(cell: Any, longest: int = 60) -> Any:
    if not isinstance(cell, list | dict):
        return cell
    text = json.dumps(cell)
    return text if len(text) <= longest else text[: longest - 1] + "…"
