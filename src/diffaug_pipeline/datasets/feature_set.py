"""Features on disk: arrays that are looked up by content, laid out as `features.features` tells."""

from pathlib import Path
from typing import TYPE_CHECKING

from diffaug_pipeline.datasets.folder import FolderDataset
from diffaug_pipeline.features.features import Features

if TYPE_CHECKING:
    from diffaug_pipeline.features.embedding import PlannedFeatures


class FeatureSetDataset(FolderDataset):
    """Saves `PlannedFeatures`: they are made now, but for those that an earlier version holds. Loads `Features`."""

    def save(self, data: "PlannedFeatures") -> None:
        earlier = [Path(version) for version in self._get_versions()]
        self.fill(lambda folder: self.statistics.update(data.make_in(folder, earlier)))

    def load(self) -> Features:
        return Features(self.load_path)
