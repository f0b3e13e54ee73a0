"""Whether the dataset can be read, and what is in it; of a large one a part is opened."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from diffaug_pipeline.doctor.finding import Finding
from diffaug_pipeline.formats.source import Candidate, Listing
from diffaug_pipeline.imaging.image_set import PlannedImageSet
from diffaug_pipeline.ingestion.annotated import ingest_annotated, list_annotated
from diffaug_pipeline.ingestion.ingest import ingest, list_dataset
from diffaug_pipeline.ingestion.options import DetectionIngestionOptions, ReadingOptions
from diffaug_pipeline.ingestion.reading import as_table, examples, read_pictures

READ_WHOLE = 3_000
"""Images; of a larger dataset so many, evenly spread, are opened."""
NO_SPLIT = "not yet split"
SPLITS = ("train", "val", "test", NO_SPLIT)


@dataclass(frozen=True)
class Contents:
    """What is known of a dataset."""

    format: str
    classes: dict[str, dict[str, int]]
    """By split and class: images, or boxes."""
    images: int
    opened: int
    """Less than all images where the dataset is large."""
    refused: dict[str, str]
    """By name: why."""
    mean_pixels: float
    """Of the images that were opened."""

    @property
    def class_names(self) -> list[str]:
        """Sorted."""
        return sorted({name for of_split in self.classes.values() for name in of_split})


@cache
def look_into(options: ReadingOptions) -> Contents:
    """As ingestion reads it. Raises `DatasetFormatError` if that cannot use the dataset."""
    annotated = isinstance(options, DetectionIngestionOptions)
    listing = (list_annotated if annotated else list_dataset)(options)
    if len(listing.candidates) > READ_WHOLE:
        return _look_into_a_part(listing, options)
    images, report = (ingest_annotated if annotated else ingest)(options)
    index = images.plan if isinstance(images, PlannedImageSet) else images.index
    return Contents(
        format=report["format"],
        classes=report["boxes" if annotated else "images"],
        images=report["used"],
        opened=report["used"],
        refused=report["refused"],
        mean_pixels=float((index["width_px"] * index["height_px"]).mean()),
    )


def check_dataset(options: ReadingOptions) -> Iterator[Finding]:
    """What ingestion would find. Raises `DatasetFormatError` if it cannot use the dataset."""
    contents = look_into(options)
    says = f"{options.dataset}: {contents.format}, {contents.images:,} images; {_describe_classes(contents)}"
    if contents.opened < contents.images:
        says += f"; {contents.opened:,} of them were opened"
    if contents.refused:
        refused = f"{len(contents.refused):,} files are refused{examples(contents.refused)}"
        yield Finding("advice", f"{says}; {refused}", "repair or remove them; the report of a run lists all.")
    else:
        yield Finding("ok", says)


def _look_into_a_part(listing: Listing, options: ReadingOptions) -> Contents:
    chosen = np.linspace(0, len(listing.candidates) - 1, READ_WHOLE).round().astype(int)
    part = replace(listing, candidates=[listing.candidates[number] for number in chosen])
    found, refused = read_pictures(part, options)
    table = as_table(found, refused, options.dataset)
    classes: dict[str, Counter] = defaultdict(Counter)
    for candidate in listing.candidates:
        classes[candidate.split or NO_SPLIT].update(_labels_of(candidate))
    return Contents(
        format=listing.format,
        classes={split: dict(counts) for split, counts in classes.items()},
        images=len(listing.candidates),
        opened=len(chosen),
        refused=listing.refused | refused,
        mean_pixels=float((table["width_px"] * table["height_px"]).mean()),
    )


def _labels_of(candidate: Candidate) -> list[str]:
    if candidate.annotations is None:
        return [str(candidate.label)]
    return [box.label for box in candidate.annotations.boxes if not box.ignored]


def _describe_classes(contents: Contents) -> str:
    """How many of each class there are in each split, by the smallest and the largest."""
    described = []
    for split, counts in sorted(contents.classes.items(), key=lambda of_split: SPLITS.index(of_split[0])):
        least, most = min(counts.values(), default=0), max(counts.values(), default=0)
        each = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        described.append(f"{split} {each}")
    return f"{len(contents.class_names)} classes, of each {', '.join(described)}"
