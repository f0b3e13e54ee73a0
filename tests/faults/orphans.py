"""Image sets that are made slowly; in a module that worker processes can import."""

import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from factories import plan
from kedro.io import Version
from makers import NoiseMaker

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.engines.local import LocalProcesses
from diffaug_pipeline.imaging.image_set import DrawnImage, PlannedImageSet


@dataclass(frozen=True)
class SlowMaker(NoiseMaker):
    """Takes its time over every batch."""

    def __call__(self, rows: pd.DataFrame) -> list[DrawnImage]:
        time.sleep(0.02)
        return super().__call__(rows)


def planned_slowly(*, workers: int) -> PlannedImageSet:
    """Two hundred pictures in fifty batches."""
    engine = LocalProcesses((SlowMaker(),) * workers) if workers else None
    return PlannedImageSet(plan(200), SlowMaker(), batch_size=4, engine=engine)


def dataset(folder: Path) -> ImageSetDataset:
    """Where they are stored."""
    return ImageSetDataset(filepath=str(folder / "images"), version=Version("r1", "r1"))
