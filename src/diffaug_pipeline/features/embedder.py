"""Opens pictures and asks the models about them, in whichever process; where the answers go is not its business."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.engines.sharing import Finished, check_in_sight
from diffaug_pipeline.features.encoder import ImageEncoder, load_encoder
from diffaug_pipeline.features.features import THUMBNAILS
from diffaug_pipeline.features.subjects import Picture
from diffaug_pipeline.imaging.preparation import square_crop
from diffaug_pipeline.imaging.thumbnails import thumbnail

READERS = min(4, os.cpu_count() or 1)


@dataclass
class LazyEncoder:
    """A model that is loaded when it is first asked for."""

    model: str
    revision: str | None
    device: str

    @cached_property
    def loaded(self) -> ImageEncoder:
        """See `load_encoder`."""
        return load_encoder(self.model, self.revision, self.device)


@dataclass(frozen=True)
class Wanted:
    """What is missing of one picture."""

    row: int
    picture: Picture
    thumbnail: bool
    subjects: dict[str, list[int]]
    """By model, those of the picture's subjects that it has not seen."""


@dataclass(frozen=True)
class Seen:
    """What answers that: a thumbnail, and prepared pictures for the models."""

    row: int
    thumbnail: np.ndarray | None
    shown: dict[str, list[tuple[int, Image.Image]]]
    """By model: subjects, and what it is shown of each."""


Part = tuple[str, np.ndarray, np.ndarray]
"""`thumbnails` or the name of a model; (N,) rows; their (N, …) values."""


@dataclass(frozen=True)
class Embedder:
    """Models by name, and how pictures are shown to them."""

    encoders: dict[str, LazyEncoder]
    crop_context: float | None
    batch_size: int
    """Pictures seen together."""

    def moved_to(self, device: str) -> "Embedder":
        """The same with models that are yet to be loaded, on another device."""
        return replace(
            self, encoders={name: replace(encoder, device=device) for name, encoder in self.encoders.items()}
        )

    @property
    def readers(self) -> int:
        """Threads to open pictures in; none on a CPU: the model keeps every core busy, they would only take turns."""
        on_cpu = all(choose_device(encoder.device) == "cpu" for encoder in self.encoders.values())
        return 0 if on_cpu else READERS

    def load(self) -> None:
        """Loads the models; before threads begin to look at pictures."""
        for encoder in self.encoders.values():
            encoder.loaded  # noqa: B018

    def look_at(self, wanted: Wanted) -> Seen:
        """Opens one picture."""
        image, picture = wanted.picture.read(), wanted.picture
        shown = {
            name: [
                (subject, self.encoders[name].loaded.prepare(self._show(image, picture, subject)))
                for subject in subjects
            ]
            for name, subjects in wanted.subjects.items()
        }
        return Seen(wanted.row, thumbnail(image) if wanted.thumbnail else None, shown)

    def _show(self, image: Image.Image, picture: Picture, subject: int) -> Image.Image:
        box = picture.subjects[subject]
        return image if box is None else square_crop(image, box, self.crop_context)

    def embed(self, block: Sequence[Seen]) -> Iterator[Part]:
        """All that the pictures of a block are wanted for, model after model."""
        new = [seen for seen in block if seen.thumbnail is not None]
        if new:
            yield THUMBNAILS, np.array([seen.row for seen in new]), np.stack([seen.thumbnail for seen in new])
        for name, encoder in self.encoders.items():
            shown = [pair for seen in block for pair in seen.shown.get(name, ())]
            for start in range(0, len(shown), self.batch_size):
                rows, pictures = zip(*shown[start : start + self.batch_size], strict=True)
                yield name, np.array(rows), encoder.loaded.embed(pictures)


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker has to know before it is given blocks."""

    embedder: Embedder
    threads: int | None
    """For a process that shares the cores with others; None leaves them as they are."""
    sample: str
    """The path of one of the pictures."""


class BlockEmbedder:
    """An `Embedder` in a worker."""

    def __init__(self, setup: WorkerSetup):
        check_in_sight(Path(setup.sample))
        if setup.threads is not None:
            torch.set_num_threads(setup.threads)
        setup.embedder.load()
        self._embedder, self._readers = setup.embedder, ThreadPoolExecutor(setup.embedder.readers or 1)

    def __call__(self, number: int, block: list[Wanted]) -> Finished:
        """The parts of a block, and how many pictures it had."""
        seen = list(self._readers.map(self._embedder.look_at, block))
        return {number: (list(self._embedder.embed(seen)), len(block))}

    def finish(self) -> Finished:
        """Nothing: every block is finished before the next one begins."""
        return {}
