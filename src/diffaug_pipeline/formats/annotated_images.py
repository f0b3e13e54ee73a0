"""Gathers what annotation files say about images: one candidate per image, however many files name it."""

from pathlib import Path

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.files import LEAVES, PICTURE_SUFFIXES, files_below, is_inside, printable, reader
from diffaug_pipeline.formats.source import NOT_A_SPLIT, Annotations, Candidate, Listing, are_splits

PRECEDENCE = ("test", "val", "train")
"""Of two splits that list an image, the first keeps it."""
SAME_IMAGES = (("train", "val"), ("train", "test"), ("test", "val"))
"""Of each pair the second is no split if it lists the very images of the first."""


class AnnotatedImages:
    """The images that annotation files name, with what the files say; `root` is the resolved dataset folder."""

    def __init__(self, root: Path, max_file_megabytes: float):
        self._root = root
        self._max_file_megabytes = max_file_megabytes
        self._images: dict[Path, dict[str | None, Annotations]] = {}
        self._refused: dict[str, str] = {}
        self._refused_images: set[Path] = set()
        self._notes: list[str] = []

    def add(self, path: Path, split: str | None, annotations: Annotations) -> None:
        """An image with its boxes; what several files of one split say about it adds up."""
        of_image = self._images.setdefault(path, {})
        of_image[split] = _joined(of_image[split], annotations) if split in of_image else annotations

    def refuse(self, name: str, reason: str) -> None:
        """Something the dataset names that cannot be used."""
        name = printable(name)
        self._refused[name if name not in self._refused else f"{name} ({len(self._refused)})"] = printable(reason)

    def refuse_image(self, path: Path, reason: str) -> None:
        """An image that lies there and cannot be used."""
        self._refused_images.add(path)
        self.refuse(path.relative_to(self._root).as_posix(), reason)

    def refuse_unmentioned(self, folder: Path, reason: str = "not in the annotations") -> None:
        """Pictures below `folder` that nothing was said about are not taken for empty ones."""
        mentioned = self._images.keys() | self._refused_images
        for path in files_below(folder, PICTURE_SUFFIXES):
            if not is_inside(path, self._root):
                self.refuse(path.relative_to(self._root).as_posix(), LEAVES)
            elif path.resolve() not in mentioned:
                self.refuse(path.relative_to(self._root).as_posix(), reason)

    def note(self, text: str) -> None:
        """Something that had to be handled in the dataset as a whole."""
        self._notes.append(printable(text))

    def __len__(self) -> int:
        return len(self._images)

    def listing(self, dataset_format: str) -> Listing:
        """What was gathered. Raises `DatasetFormatError` if that is nothing."""
        self._forget_repeated_splits()
        has_splits = are_splits(split for of_image in self._images.values() for split in of_image)
        candidates = []
        for path, of_image in sorted(self._images.items()):
            image_id = path.relative_to(self._root).as_posix()
            split, annotations, problem = _settled(of_image) if has_splits else _without_splits(of_image)
            if printable(image_id) != image_id:
                problem = "the name is not valid UTF-8"
            if problem is not None:
                self.refuse(image_id, problem)
                continue
            read = reader(path, self._max_file_megabytes)
            candidates.append(Candidate(image_id, None, split, read, str(path), annotations=annotations))
        if not candidates:
            shown = "; ".join(f"{name}: {reason}" for name, reason in list(self._refused.items())[:3])
            raise DatasetFormatError(
                f"{self._root}, read as {dataset_format}, has annotations for none of its images; "
                f"{len(self._refused)} entries were refused{', e.g. ' if shown else ''}{shown}."
            )
        return Listing(dataset_format, candidates, self._refused, tuple(self._notes))

    def _forget_repeated_splits(self) -> None:
        listed: dict[str | None, set[Path]] = {}
        for path, of_image in self._images.items():
            for split in of_image:
                listed.setdefault(split, set()).add(path)
        for first, second in SAME_IMAGES:
            if second in listed and listed.get(first) == listed[second]:
                self.note(f"{second} lists the very images of {first}: not taken for a split")
                for path in listed.pop(second):
                    del self._images[path][second]


def _joined(first: Annotations, second: Annotations) -> Annotations:
    return Annotations(
        boxes=first.boxes + second.boxes,
        unit=first.unit,
        recorded_size_px=first.recorded_size_px or second.recorded_size_px,
        notes=tuple(dict.fromkeys(first.notes + second.notes)),
    )


def _settled(of_image: dict[str | None, Annotations]) -> tuple[str | None, Annotations | None, str | None]:
    """Split and annotations of an image, or what is wrong; the most precious split keeps an image listed twice."""
    named = [split for split in PRECEDENCE if split in of_image]
    if not named:
        return None, None, NOT_A_SPLIT
    if len({_key(of_image[split]) for split in named}) > 1:
        return None, None, f"listed in {' and '.join(reversed(named))} with different boxes"
    kept = of_image[named[0]]
    if len(named) > 1:
        note = f"listed in {' and '.join(reversed(named))}, kept in {named[0]}"
        kept = _joined(kept, Annotations((), kept.unit, notes=(note,)))
    return named[0], kept, None


def _without_splits(of_image: dict[str | None, Annotations]) -> tuple[None, Annotations, None]:
    first, *others = of_image.values()
    for annotations in others:
        if _key(annotations) != _key(first):
            first = _joined(first, annotations)
    return None, first, None


def _key(annotations: Annotations) -> str:
    return repr(sorted((box.label, *map(str, box.xyxy), box.ignored) for box in annotations.boxes))
