"""Makes the images of a plan batch by batch, in this process or in several; a batch appears whole or not at all.

    images/000012/<recipe>.png     the images of batch 12

Which images are made together is written down before the first one is made, so that a resumed run, or one whose worker
was killed, forms the same batches, and the same bytes.
"""

import json
import logging
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from diffaug_pipeline.datasets.folder import write_whole
from diffaug_pipeline.errors import BatchTooLargeError, DiskSpaceError, WorkerError
from diffaug_pipeline.imaging.image_set import ImageFile, MakeImages, PlannedImageSet
from diffaug_pipeline.processes import SECONDS_BETWEEN_LOOKS, worker_pools
from diffaug_pipeline.progress import progress_bar

logger = logging.getLogger(__name__)

ROUNDS_WITHOUT_PROGRESS = 3
"""Workers that die before any of them has finished a batch are started anew this often."""

MENTIONED_FROM_SECONDS = 20

Batches = dict[int, list[str]]
"""Recipes by batch number."""


class BatchList:
    """Which images are made together, as it stands on disk; batch 0, 1, … of recipes."""

    def __init__(self, file: Path, plan_digest: str, batches: list[list[str]], largest: int | None = None):
        self._file, self.plan_digest, self.batches = file, plan_digest, batches
        self.largest = largest
        """What batches were cut down to because memory did not hold larger ones; None if it did."""

    @classmethod
    def read(cls, file: Path) -> "BatchList":
        """As it was written."""
        stored = json.loads(file.read_text())
        return cls(file, stored["recipes"], stored["batches"], stored["cut_down_to"])

    def write(self) -> None:
        """All at once."""
        stored = {"recipes": self.plan_digest, "batches": self.batches, "cut_down_to": self.largest}
        write_whole(self._file, json.dumps(stored))

    def unfinished(self, images: Path) -> Batches:
        """The batches that have no folder below `images`."""
        return {n: recipes for n, recipes in enumerate(self.batches) if not (images / f"{n:06d}").exists()}

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

    Batches that memory does not hold are halved, for good. Killed workers are replaced, unless nothing gets done.
    """
    rows = data.plan.drop_duplicates("recipe").set_index("recipe", drop=False)
    total = sum(map(len, batches.batches))
    finished = total - _count(batches.unfinished(images))
    with progress_bar(total, data.description, "images", initial=finished) as bar:
        progress = _Progress(bar, images, data.description)
        fruitless = 0
        while unfinished := batches.unfinished(images):
            progress.set_done(total - _count(unfinished))
            try:
                _make_all(data, rows, images, unfinished, progress)
            except BatchTooLargeError as error:
                if error.batch_size == 1:
                    raise
                batches.halve(error.batch_size, batches.unfinished(images))
                logger.warning("%s From now on at most %d images are made together.", error, batches.largest)
            except BrokenProcessPool as error:
                left = batches.unfinished(images)
                fruitless = 0 if len(left) < len(unfinished) else fruitless + 1
                if fruitless == ROUNDS_WITHOUT_PROGRESS:
                    raise WorkerError(
                        f"{data.description}: workers are killed before they finish anything; most likely memory runs "
                        "out. Lower synthesis.workers or synthesis.batch_size and resume the run."
                    ) from error
                logger.warning("A worker process was killed; its images are made by another. %d to go.", _count(left))
    return total - finished


def _make_all(
    data: PlannedImageSet, rows: pd.DataFrame, images: Path, unfinished: Batches, progress: "_Progress"
) -> None:
    if len(data.parallel) < 2:
        make_images = data.parallel[0] if data.parallel else data.make_images
        _make_in_turn(make_images, rows, images, unfinished, progress.add)
    else:
        _make_side_by_side(data.parallel, rows, images, unfinished, progress)


def _make_in_turn(
    make_images: MakeImages,
    rows: pd.DataFrame,
    images: Path,
    unfinished: Batches,
    on_batch: Callable[[int], None] | None = None,
) -> None:
    """While one batch is made another thread encodes and writes the one before; reports sizes to `on_batch`."""

    def finish(written: Future[int]) -> None:
        if on_batch is not None:
            on_batch(written.result())
        else:
            written.result()

    with ThreadPoolExecutor(1) as writer:
        written = None
        for number, recipes in unfinished.items():
            made = make_images(rows.loc[recipes].reset_index(drop=True))
            if written is not None:
                finish(written)
            written = writer.submit(_write_batch, images, number, recipes, made)
        if written is not None:
            finish(written)


def _make_side_by_side(
    makers: Sequence[MakeImages], rows: pd.DataFrame, images: Path, unfinished: Batches, progress: "_Progress"
) -> None:
    """A process per maker, each with every n-th batch; raises what the first to fail raised once all have ended."""
    with worker_pools(len(makers), 1) as pools:
        running = set()
        for worker, (pool, make_images) in enumerate(zip(pools, makers, strict=True)):
            own = dict(list(unfinished.items())[worker :: len(makers)])
            wanted = rows.loc[[recipe for recipes in own.values() for recipe in recipes]]
            running.add(pool.submit(_make_in_turn, make_images, wanted, images, own))
        failures, before = [], progress.done
        while running:
            finished, running = wait(running, timeout=SECONDS_BETWEEN_LOOKS)
            failures += [error for future in finished if (error := future.exception()) is not None]
            there = [recipes for n, recipes in unfinished.items() if (images / f"{n:06d}").exists()]
            progress.set_done(before + sum(map(len, there)))
    if failures:
        raise failures[0]


def _write_batch(images: Path, number: int, recipes: list[str], made: Sequence[ImageFile]) -> int:
    partial = images / f".{number:06d}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for recipe, image in zip(recipes, made, strict=True):
        path = partial / f"{recipe}{image.suffix}"
        path.write_bytes(image.content)
        path.chmod(0o444)
    partial.rename(images / f"{number:06d}")
    return len(recipes)


class _Progress:
    """Moves the bar, and says once, as soon as it can be known, how long the rest takes and how large it gets."""

    def __init__(self, bar: tqdm, images: Path, description: str):
        self._bar, self._images, self._description = bar, images, description
        self._first: tuple[float, int] | None = None
        self._is_told = False

    @property
    def done(self) -> int:
        return self._bar.n

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
