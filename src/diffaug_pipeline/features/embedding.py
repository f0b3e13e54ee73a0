"""Makes a set of features: every content once, and only what no earlier set knows."""

import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.features.encoder import has_text_tower
from diffaug_pipeline.features.features import DESCRIPTION, MEASURE, SCORER, THUMBNAILS
from diffaug_pipeline.features.keyed_array import KeyedArray, find_arrays
from diffaug_pipeline.features.options import DetectionFeatureOptions, FeatureOptions
from diffaug_pipeline.features.space_making import SpaceMaking
from diffaug_pipeline.features.subjects import Picture, Subjects
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.thumbnails import THUMBNAIL_PX, thumbnail
from diffaug_pipeline.progress import progress_bar

THUMBNAIL_IDENTITY = {"what": "gray thumbnails", "size_px": THUMBNAIL_PX}
READERS = min(4, os.cpu_count() or 1)
SECONDS_BETWEEN_COMMITS = 5.0
"""What a process that is killed loses at most."""


@dataclass(frozen=True)
class PlannedFeatures:
    """Features still to be made; whoever stores them says where."""

    real_images: ImageSet
    synthetic_images: ImageSet
    options: FeatureOptions

    def __post_init__(self) -> None:
        scorer = self.options.scorer
        if not has_text_tower(scorer.model, scorer.revision):
            raise ParameterError(
                f"features.scorer is {scorer.model}, which has no text tower and cannot be asked about classes; choose "
                "a CLIP or SigLIP model. As features.measure it will do."
            )

    def make_in(self, folder: Path, earlier: Sequence[Path]) -> dict[str, int]:
        """Fills `folder`, going on with what a crash left there; returns what was done, in figures.

        Rows that one of the `earlier` folders, complete sets of features, holds are copied.
        """
        subjects, spaces = self._list_subjects(), self._list_spaces()
        thumbnails = _settle_thumbnails(folder / THUMBNAILS, list(subjects.pictures), earlier)
        for space in spaces:
            space.settle(folder, subjects.keys, earlier)
        reader = _Reader(subjects, thumbnails, spaces)
        done = {f"{space.name}_vectors_made": len(space.array.missing()) for space in spaces}
        done |= {"vectors": len(subjects.keys), "images_read": len(reader.to_read)}
        _make_missing(reader, thumbnails, spaces, self.options)
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


@dataclass(frozen=True)
class _Seen:
    """What is needed of one picture."""

    row: int
    thumbnail: np.ndarray | None
    shown: dict[str, list[tuple[int, Image.Image]]]
    """By space: rows, and prepared pictures for them."""


class _Reader:
    """Knows which pictures have to be opened, opens them, and takes from each all that is missing."""

    def __init__(self, subjects: Subjects, thumbnails: KeyedArray, spaces: Sequence[SpaceMaking]):
        self._subjects = subjects
        self._without_thumbnail = set(thumbnails.missing().tolist())
        self._missing = {space.name: set(space.array.missing().tolist()) for space in spaces}
        # Models are loaded here, where there is one thread, and only those that are needed.
        self._prepare = {space.name: space.encoder.prepare for space in spaces if self._missing[space.name]}
        wanted = set().union(*self._missing.values())
        self.to_read = [
            (row, picture)
            for row, picture in enumerate(subjects.pictures.values())
            if row in self._without_thumbnail or not wanted.isdisjoint(picture.subjects)
        ]

    def see(self, row: int, picture: Picture) -> _Seen:
        """Opens one picture."""
        image = picture.read()
        shown = {
            name: [
                (subject, prepare(self._subjects.show(image, subject)))
                for subject in picture.subjects
                if subject in self._missing[name]
            ]
            for name, prepare in self._prepare.items()
        }
        return _Seen(row, thumbnail(image) if row in self._without_thumbnail else None, shown)

    def blocks(self, size: int, *, ahead: bool) -> Iterator[list[_Seen]]:
        """All there is to read in blocks of about `size` subjects, the next one read `ahead` in threads if asked."""
        with ThreadPoolExecutor(READERS) as threads:
            see = threads.map if ahead else map
            waiting: deque[Iterable[_Seen]] = deque()
            for block in self._cut(size):
                waiting.append(see(self.see, *zip(*block, strict=True)))
                if len(waiting) > 1:
                    yield list(waiting.popleft())
            yield from map(list, waiting)

    def _cut(self, size: int) -> Iterator[list[tuple[int, Picture]]]:
        """Consecutive pictures; how they are cut does not depend on what is missing of one, so a resumed run agrees."""
        block, subjects = [], 0
        for row, picture in self.to_read:
            block.append((row, picture))
            subjects += max(1, len(picture.subjects))
            if subjects >= size:
                yield block
                block, subjects = [], 0
        if block:
            yield block


def _reads_ahead(device: str) -> bool:
    """On a CPU the model keeps every core busy, and threads would only take turns with it."""
    return choose_device(device) != "cpu"


def _make_missing(
    reader: _Reader, thumbnails: KeyedArray, spaces: Sequence[SpaceMaking], options: FeatureOptions
) -> None:
    arrays = [thumbnails, *(space.array for space in spaces)]
    with progress_bar(len(reader.to_read), "embedding images", "images") as bar, _committed(arrays) as keep:
        for block in reader.blocks(options.batch_size, ahead=_reads_ahead(options.device)):
            new = [seen for seen in block if seen.thumbnail is not None]
            if new:
                thumbnails.write(np.array([seen.row for seen in new]), np.stack([seen.thumbnail for seen in new]))
            for space in spaces:
                space.embed([pair for seen in block for pair in seen.shown.get(space.name, ())], options.batch_size)
            keep()
            bar.update(len(block))


@contextmanager
def _committed(arrays: Sequence[KeyedArray]) -> Iterator[Callable[[], None]]:
    """Commits at the end, whatever ends it; what is yielded does so in between, when it is time to."""
    last = time.monotonic()

    def keep() -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_COMMITS:
            commit()
            last = time.monotonic()

    def commit() -> None:
        for array in arrays:
            array.commit()

    try:
        yield keep
    finally:
        commit()
