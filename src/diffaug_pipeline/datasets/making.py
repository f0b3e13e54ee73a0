"""Makes the images of a plan batch by batch, in this process or in several; a batch appears whole or not at all.

    images/000012/<recipe>.png     the images of batch 12

Which images are made together is written down before the first one is made, so that a resumed run, or one whose worker
was killed, forms the same batches, and the same bytes.
"""

import json
import logging
import shutil
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from diffaug_pipeline.datasets.folder import write_whole
from diffaug_pipeline.errors import BatchTooLargeError, DiskSpaceError, WorkerError
from diffaug_pipeline.imaging.image_set import ImageFile, MakeImages, PlannedImageSet
from diffaug_pipeline.processes import worker_pools
from diffaug_pipeline.progress import progress_bar

logger = logging.getLogger(__name__)

ROUNDS_WITHOUT_PROGRESS = 3
"""Workers that die before any of them has finished a batch are started anew this often."""

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
                logger.warning("%s From now on batches have at most %d.", error, batches.largest)
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
    if data.parallel:
        _make_side_by_side(data.parallel[: len(unfinished)], rows, images, unfinished, progress)
    else:
        _make_in_turn(data.make_images, rows, images, unfinished, progress)


def _make_in_turn(
    make_images: MakeImages, rows: pd.DataFrame, images: Path, unfinished: Batches, progress: "_Progress"
) -> None:
    with _Writer(images) as writer:
        for number, recipes in unfinished.items():
            progress.add(writer.write(number, recipes, make_images(_rows_of(recipes, rows))))
        progress.add(writer.finish())


def _make_side_by_side(
    makers: Sequence[MakeImages], rows: pd.DataFrame, images: Path, unfinished: Batches, progress: "_Progress"
) -> None:
    """A process per maker; whichever is free takes the next batch. Ends early with what the first to fail raises."""
    waiting, running, failures = deque(unfinished.items()), {}, []

    def submit(pool: ProcessPoolExecutor) -> None:
        if waiting:
            number, recipes = waiting.popleft()
            running[pool.submit(_make_in_worker, number, recipes, _rows_of(recipes, rows))] = pool

    with worker_pools(len(makers), 1) as pools:
        for pool, make_images in zip(pools, makers, strict=True):
            running[pool.submit(_begin_worker, make_images, images)] = pool
            submit(pool)  # so that there is always one at hand
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                pool, error = running.pop(future), future.exception()
                if error is None:
                    progress.add(future.result())
                    submit(pool)
                else:
                    failures.append(error)
                    waiting.clear()
        if not failures:
            for pool in pools:
                progress.add(pool.submit(_finish_worker).result())
    if failures:
        raise failures[0]


class _Writer:
    """Encodes and writes a batch in a thread of its own while the next one is made."""

    def __init__(self, images: Path):
        self._images, self._thread = images, ThreadPoolExecutor(1)
        self._written: Future[int] | None = None

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def write(self, number: int, recipes: list[str], made: Sequence[ImageFile]) -> int:
        """Begins with a batch; returns how many images the one before had, once that is there."""
        before = self.finish()
        self._written = self._thread.submit(_write_batch, self._images, number, recipes, made)
        return before

    def finish(self) -> int:
        """Returns how many images the last batch had, once it is there."""
        written, self._written = self._written, None
        return 0 if written is None else written.result()


_worker: dict[str, Any] = {}
"""What a worker process was begun with; empty in others. Its tasks return how many images came to be there."""


def _begin_worker(make_images: MakeImages, images: Path) -> int:
    _worker.update(make_images=make_images, writer=_Writer(images))
    return 0


def _make_in_worker(number: int, recipes: list[str], rows: pd.DataFrame) -> int:
    return _worker["writer"].write(number, recipes, _worker["make_images"](rows))


def _finish_worker() -> int:
    return _worker["writer"].finish()


def _rows_of(recipes: list[str], rows: pd.DataFrame) -> pd.DataFrame:
    return rows.loc[recipes].reset_index(drop=True)


def _folder(images: Path, number: int) -> Path:
    return images / f"{number:06d}"


def _write_batch(images: Path, number: int, recipes: list[str], made: Sequence[ImageFile]) -> int:
    partial = images / f".{number:06d}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for recipe, image in zip(recipes, made, strict=True):
        path = partial / f"{recipe}{image.suffix}"
        path.write_bytes(image.content)
        path.chmod(0o444)
    partial.rename(_folder(images, number))
    return len(recipes)


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
