"""Makers of images with the troubles that real ones have; in a module that worker processes can import."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from factories import noise_image

from diffaug_pipeline.errors import BatchTooLargeError
from diffaug_pipeline.imaging.image_set import DrawnImage


@dataclass(frozen=True)
class NoiseMaker:
    """Makes noise pictures."""

    def __call__(self, rows: pd.DataFrame) -> list[DrawnImage]:
        return [DrawnImage(noise_image(int(seed))) for seed in rows["seed"]]


@dataclass(frozen=True)
class KilledMaker(NoiseMaker):
    """Its process is killed when it is asked for `recipe`, `times` times altogether."""

    recipe: str
    times: int
    folder: Path
    """Where deaths are counted."""

    def __call__(self, rows: pd.DataFrame) -> list[DrawnImage]:
        deaths = len(list(self.folder.glob("death*")))
        if self.recipe in rows["recipe"].tolist() and deaths < self.times:
            (self.folder / f"death{deaths}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(rows)


@dataclass(frozen=True)
class SmallMemoryMaker(NoiseMaker):
    """Holds `most` pictures at a time."""

    most: int

    def __call__(self, rows: pd.DataFrame) -> list[DrawnImage]:
        if len(rows) > self.most:
            raise BatchTooLargeError(f"{len(rows)} pictures are too many.", len(rows))
        return super().__call__(rows)
