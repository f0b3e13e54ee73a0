"""Makes a set of features: every content once, and only what no earlier set knows."""

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffaug_pipeline.engines.choosing import choose_engine
from diffaug_pipeline.engines.sharing import Work, share_out
from diffaug_pipeline.features.embedder import BlockEmbedder, Embedder, Part, Seen, Wanted, WorkerSetup
from diffaug_pipeline.features.encoder import check_scorer
from diffaug_pipeline.features.features import DESCRIPTION, MEASURE, SCORER, THUMBNAILS
from diffaug_pipeline.features.keyed_array import KeyedArray, find_arrays
from diffaug_pipeline.features.options import DetectionFeatureOptions, FeatureOptions
from diffaug_pipeline.features.space_making import SpaceMaking
from diffaug_pipeline.features.subjects import Picture, Subjects
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.thumbnails import THUMBNAIL_PX
from diffaug_pipeline.progress import progress_bar

THUMBNAIL_IDENTITY = {"what": "gray thumbnails", "size_px": THUMBNAIL_PX}
SECONDS_BETWEEN_COMMITS = 5.0
"""What a process that is killed loses at most."""


@dataclass(frozen=True)
class PlannedFeatures:
    """Features still to be made; whoever stores them says where."""

    real_images: ImageSet
    synthetic_images: ImageSet
    options: FeatureOptions

    def __post_init__(self) -> None:
        check_scorer(self.options.scorer)

    def make_in(self, folder: Path, earlier: Sequence[Path]) -> dict[str, int]:
        """Fills `folder`, going on with what a crash left there; returns what was done, in figures.

        Rows that one of the `earlier` folders, complete sets of features, holds are copied.
        """
        subjects, spaces = self._list_subjects(), self._list_spaces()
        thumbnails = _settle_thumbnails(folder / THUMBNAILS, list(subjects.pictures), earlier)
        for space in spaces:
            space.settle(folder, subjects.keys, earlier)
        making = _Making(subjects, thumbnails, spaces, self.options)
        done = {f"{space.name}_vectors_made": len(space.array.missing()) for space in spaces}
        done |= {"vectors": len(subjects.keys), "images_read": len(making.to_read)}
        making.make()
        for space in spaces:
            space.describe(self.real_images.class_names, self.options.scorer.templates)
        described = {"crop_context": subjects.crop_context, MEASURE: spaces[-1].name}
        (folder / DESCRIPTION).write_text(json.dumps(described, indent=2) + "\n")
        return done

    def _list_subjects(self) -> Subjects:
        sets = (self.real_images, self.synthetic_images)
        if isinstance(self.options, DetectionFeatureOptions):
            return Subjects.boxes_of(sets, self.options.crop_context)
        return Subjects.whole_pictures(sets)

    def _list_spaces(self) -> list[SpaceMaking]:
        """The scorer's, and the measure's unless that is the same."""
        named = {SCORER: self.options.scorer, MEASURE: self.options.measure}
        spaces = [
            SpaceMaking(name, options.model, options.revision, self.options.device)
            for name, options in named.items()
            if options is not None
        ]
        return spaces[:1] if len(spaces) > 1 and spaces[0].identity == spaces[1].identity else spaces


def _settle_thumbnails(folder: Path, keys: Sequence[str], earlier: Sequence[Path]) -> KeyedArray:
    known = [KeyedArray(path) for path in find_arrays(THUMBNAIL_IDENTITY, earlier)]
    return KeyedArray.settle(folder, THUMBNAIL_IDENTITY, keys, known, lambda: (THUMBNAIL_PX, THUMBNAIL_PX), np.uint8)


class _Making:
    """What is missing of all pictures, and where it goes."""

    def __init__(
        self, subjects: Subjects, thumbnails: KeyedArray, spaces: Sequence[SpaceMaking], options: FeatureOptions
    ):
        self._options = options
        self._arrays = {THUMBNAILS: thumbnails} | {space.name: space.array for space in spaces}
        self._missing = {name: set(array.missing().tolist()) for name, array in self._arrays.items()}
        self._without_thumbnail = self._missing.pop(THUMBNAILS)
        wanted = set().union(*self._missing.values())
        self.to_read = [
            (row, picture)
            for row, picture in enumerate(subjects.pictures.values())
            if row in self._without_thumbnail or not wanted.isdisjoint(picture.subjects)
        ]
        encoders = {space.name: space.lazy_encoder for space in spaces if self._missing[space.name]}
        self._embedder = Embedder(encoders, subjects.crop_context, options.batch_size)

    def make(self) -> None:
        engine = choose_engine(self._options, self._worker_setup) if self.to_read else None
        blocks = list(_cut(self.to_read, self._options.batch_size))
        with progress_bar(len(self.to_read), "embedding images", "images") as bar, self._committed() as keep:

            def take(parts: Iterable[Part], pictures: int) -> None:
                for name, rows, values in parts:
                    self._arrays[name].write(rows, values)
                keep()
                bar.update(pictures)

            if engine is None:
                for seen in _look_ahead(self._embedder, map(self._wanted, blocks)):
                    take(self._embedder.embed(seen), len(seen))
                return
            work = Work(
                "embedding images",
                range(len(blocks)),
                BlockEmbedder,
                lambda number: (self._wanted(blocks[number]),),
                lambda _, made: take(*made),
            )
            share_out(work, engine)

    def _wanted(self, block: list[tuple[int, Picture]]) -> list[Wanted]:
        return [
            Wanted(
                row,
                picture,
                row in self._without_thumbnail,
                {
                    name: [subject for subject in picture.subjects if subject in rows]
                    for name, rows in self._missing.items()
                },
            )
            for row, picture in block
        ]

    def _worker_setup(self, device: str, threads: int | None) -> WorkerSetup:
        return WorkerSetup(self._embedder.moved_to(device), threads, self.to_read[0][1].path)

    @contextmanager
    def _committed(self) -> Iterator[Callable[[], None]]:
        """Commits at the end, whatever ends it; what is yielded does so in between, when it is time to."""
        last = time.monotonic()

        def keep() -> None:
            nonlocal last
            if time.monotonic() - last >= SECONDS_BETWEEN_COMMITS:
                commit()
                last = time.monotonic()

        def commit() -> None:
            for array in self._arrays.values():
                array.commit()

        try:
            yield keep
        finally:
            commit()


def _cut(to_read: Sequence[tuple[int, Picture]], size: int) -> Iterator[list[tuple[int, Picture]]]:
    """Consecutive pictures of about `size` subjects.

    How they are cut does not depend on what is missing of one, so a resumed run agrees.
    """
    block, subjects = [], 0
    for row, picture in to_read:
        block.append((row, picture))
        subjects += max(1, len(picture.subjects))
        if subjects >= size:
            yield block
            block, subjects = [], 0
    if block:
        yield block


def _look_ahead(embedder: Embedder, blocks: Iterable[list[Wanted]]) -> Iterator[list[Seen]]:
    """The pictures of one block, while threads open those of the next one, if the embedder wants any."""
    embedder.load()
    with ThreadPoolExecutor(embedder.readers or 1) as threads:
        look = threads.map if embedder.readers else map
        waiting: deque[Iterable[Seen]] = deque()
        for block in blocks:
            waiting.append(look(embedder.look_at, block))
            if len(waiting) > 1:
                yield list(waiting.popleft())
        yield from map(list, waiting)
