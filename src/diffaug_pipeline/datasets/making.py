"""Makes the images of a plan batch by batch, in this process or by workers; a batch appears whole or not at all.

    images/000012/<recipe>.png     the images of batch 12

Which images are made together is written down before the first one is made, so that a resumed run, or one whose worker
was killed, forms the same batches, and the same bytes.
"""

import json
import logging
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import pandas as pd
from tqdm import tqdm

from diffaug_pipeline.datasets.folder import write_whole
from diffaug_pipeline.engines.sharing import Finished, Work, check_in_sight, share_out
from diffaug_pipeline.errors import BatchTooLargeError, DiskSpaceError
from diffaug_pipeline.imaging.image_set import ImageFile, MakeImages, PlannedImageSet
from diffaug_pipeline.progress import progress_bar

logger = logging.getLogger(__name__)

MENTIONED_FROM_SECONDS = 20

Batches = dict[int, list[str]]
"""Recipes by batch number."""


class BatchList:
    """Which images are made together, as it stands on disk; batch 0, 1, … of recipes."""

    def __init__(
        self, file: Path, plan_digest: str, batches: list[list[str]], rounds: int = 0, largest: int | None = None
    ):
        self._file, self.plan_digest, self.batches = file, plan_digest, batches
        self.rounds = rounds
        """Of the plan's rounds (`datasets.rounds`) whose batches are among them."""
        self.largest = largest
        """What batches were cut down to because memory did not hold larger ones; None if it did."""

    @classmethod
    def read(cls, file: Path) -> "BatchList":
        """As it was written."""
        stored = json.loads(file.read_text())
        return cls(file, stored["recipes"], stored["batches"], stored["rounds"], stored["cut_down_to"])

    def write(self) -> None:
        """All at once."""
        stored = {
            "recipes": self.plan_digest,
            "batches": self.batches,
            "rounds": self.rounds,
            "cut_down_to": self.largest,
        }
        write_whole(self._file, json.dumps(stored))

    def add_round(self, data: PlannedImageSet, missing: pd.DataFrame) -> None:
        """Adds the batches of the rows of one more round that are still to be made."""
        size = min(data.batch_size, self.largest or data.batch_size)
        self.batches += replace(data, batch_size=size).batches(missing)
        self.rounds += 1
        self.write()

    def unfinished(self, images: Path) -> Batches:
        """The batches that have no folder below `images`."""
        return {n: recipes for n, recipes in enumerate(self.batches) if not _folder(images, n).exists()}

    def halve(self, too_large: int, unfinished: Batches) -> None:
        """Cuts the `unfinished` batches to at most half of `too_large` images; finished ones keep their numbers."""
        self.largest = max(1, too_large // 2)
        for number, recipes in unfinished.items():
            first, *others = (recipes[start : start + self.largest] for start in range(0, len(recipes), self.largest))
            self.batches[number] = first
            self.batches += others
        self.write()


def make_batches(data: PlannedImageSet, batches: BatchList, images: Path) -> int:
    """Makes the batches that are not there yet; returns the number of images made.

    Batches that memory does not hold are halved, for good.
    """
    rows = data.plan.drop_duplicates("recipe").set_index("recipe", drop=False)
    total = sum(map(len, batches.batches))
    finished = total - _count(batches.unfinished(images))
    with progress_bar(total, data.description, "images", initial=finished) as bar:
        progress = _Progress(bar, images, data.description)
        while unfinished := batches.unfinished(images):
            progress.set_done(total - _count(unfinished))
            try:
                _make_all(data, rows, images, unfinished, progress)
            except BatchTooLargeError as error:
                if error.batch_size == 1:
                    raise
                batches.halve(error.batch_size, batches.unfinished(images))
                logger.warning("%s From now on batches have at most %d.", error, batches.largest)
    for leftover in images.glob(".*/"):
        shutil.rmtree(leftover)
    return total - finished


def _make_all(
    data: PlannedImageSet, rows: pd.DataFrame, images: Path, unfinished: Batches, progress: "_Progress"
) -> None:
    def batch(number: int) -> tuple[list[str], pd.DataFrame]:
        return unfinished[number], rows.loc[unfinished[number]].reset_index(drop=True)

    if data.engine is None:
        with _BatchMaker(data.make_images, images) as maker:
            for number in unfinished:
                progress.add(sum(maker(number, *batch(number)).values()))
            progress.add(sum(maker.finish().values()))
        return
    # Only workers that see the same folder, and not one of their own by its name, see this in it.
    token = images / f".{uuid4().hex}"
    token.mkdir(parents=True)
    begin = partial(_begin_in_sight, images=images, token=token)
    work = Work(data.description, list(unfinished), begin, batch, lambda _, count: progress.add(count))
    share_out(work, data.engine)


class _BatchMaker:
    """Makes batches, each of which a thread encodes and writes while the next one is made."""

    def __init__(self, make_images: MakeImages, images: Path):
        self._make_images, self._images, self._thread = make_images, images, ThreadPoolExecutor(1)
        self._written: Future[Finished] | None = None

    def __enter__(self) -> "_BatchMaker":
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def __call__(self, number: int, recipes: list[str], rows: pd.DataFrame) -> Finished:
        """Makes a batch; returns how many images the one before had, once that is there."""
        made = self._make_images(rows)
        before = self.finish()
        self._written = self._thread.submit(_write_batch, self._images, number, recipes, made)
        return before

    def finish(self) -> Finished:
        """Returns how many images the last batch had, once it is there."""
        written, self._written = self._written, None
        return {} if written is None else written.result()


def _begin_in_sight(make_images: MakeImages, images: Path, token: Path) -> _BatchMaker:
    check_in_sight(token)
    return _BatchMaker(make_images, images)


def _folder(images: Path, number: int) -> Path:
    return images / f"{number:06d}"


def _write_batch(images: Path, number: int, recipes: list[str], made: Sequence[ImageFile]) -> Finished:
    partial_folder, final = images / f".{number:06d}-{uuid4().hex}", _folder(images, number)
    partial_folder.mkdir(parents=True)
    for recipe, image in zip(recipes, made, strict=True):
        path = partial_folder / f"{recipe}{image.suffix}"
        path.write_bytes(image.content)
        path.chmod(0o444)
    try:
        partial_folder.rename(final)
    except OSError:
        if not final.exists():  # else by a worker that was thought lost, with the same bytes
            raise
    return {number: len(recipes)}


class _Progress:
    """Moves the bar, and says once, as soon as it can be known, how long the rest takes and how large it gets."""

    def __init__(self, bar: tqdm, images: Path, description: str):
        self._bar, self._images, self._description = bar, images, description
        self._first: tuple[float, int] | None = None
        self._is_told = False

    def add(self, count: int) -> None:
        self.set_done(self._bar.n + count)

    def set_done(self, done: int) -> None:
        if done == self._bar.n:
            return
        self._bar.update(done - self._bar.n)
        if self._first is None:
            self._first = time.perf_counter(), done  # the first batch also waits for the model
        elif not self._is_told:
            self._is_told = True
            self._foretell(done)

    def _foretell(self, done: int) -> None:
        started, earlier = self._first
        left = self._bar.total - done
        seconds = left * (time.perf_counter() - started) / (done - earlier)
        sizes = [path.stat().st_size for path in self._images.glob("[0-9]*/*")]
        needed, free = left * sum(sizes) / len(sizes), shutil.disk_usage(self._images).free
        size = _describe_size(needed)
        if seconds > MENTIONED_FROM_SECONDS:
            logger.info("%s: %d images to go, about %s and %s", self._description, left, _describe_time(seconds), size)
        if needed > free:
            raise DiskSpaceError(
                f"{self._description}: the {left} images to go need about {size}, but {_describe_size(free)} are free "
                f"at {self._images}; make room and resume the run."
            )


def _describe_time(seconds: float) -> str:
    """As a person says it.

    >>> _describe_time(7_500)
    '2 h 5 min'
    """
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{max(1, minutes)} min"


def _describe_size(size_bytes: float) -> str:
    """As a person says it.

    >>> _describe_size(3.2e9), _describe_size(4e5)
    ('3.2 GB', '0.4 MB')
    """
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"


def _count(batches: Batches) -> int:
    return sum(map(len, batches.values()))
