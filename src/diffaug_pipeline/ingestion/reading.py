"""Decodes every picture of a listing once, in threads, and tables what is known about it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pandas as pd

from diffaug_pipeline.embedded import embedded_folder
from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.files import is_file, is_folder
from diffaug_pipeline.formats.source import Candidate, Listing, UnreadableError
from diffaug_pipeline.ingestion.image_file import Picture, Refusal, inspect_picture
from diffaug_pipeline.ingestion.options import ReadingOptions
from diffaug_pipeline.progress import track

READS_IN_FLIGHT = 64


def locate(dataset: str, allowed: str) -> Path:
    """Where the dataset lies; `allowed` says in the error what it may be."""
    root = embedded_folder(dataset) or Path(dataset).expanduser()
    if not (is_file(root) or is_folder(root)):
        raise DatasetFormatError(f"the dataset {dataset!r} does not exist; set ingestion.dataset to {allowed}.")
    return root


def read_pictures(listing: Listing, options: ReadingOptions) -> tuple[list[tuple[Candidate, Picture]], dict[str, str]]:
    """The candidates that are pictures, and why the others are none."""

    def look(candidate: Candidate) -> Picture | Refusal:
        try:
            return inspect_picture(candidate.read(), candidate.image_id, options.max_megapixels)
        except UnreadableError as error:
            return Refusal(str(error))

    found: list[tuple[Candidate, Picture]] = []
    refused: dict[str, str] = {}
    with ThreadPoolExecutor() as pool:
        results = _map_in_order(pool, look, listing.candidates)
        for candidate, result in track(results, len(listing.candidates), "reading the dataset", "images"):
            if isinstance(result, Refusal):
                refused[candidate.image_id] = result.reason
            else:
                found.append((candidate, result))
    return found, refused


def as_table(found: list[tuple[Candidate, Picture]], refused: dict[str, str], dataset: str) -> pd.DataFrame:
    """The columns of an index but for its target, and what settling needs. Raises `DatasetFormatError` if empty."""
    if not found:
        raise DatasetFormatError(f"none of {len(refused)} files in {dataset} is usable{examples(refused)}.")
    rows = []
    for candidate, picture in found:
        source_file, source_row = candidate.location or (None, None)
        rows.append(
            {
                "image_id": candidate.image_id,
                "path": candidate.path,
                **picture.columns,
                "split": candidate.split,
                "origin": "real",
                "recipe": None if candidate.path else picture.sha256[:32],
                "thumbnail": picture.thumbnail,
                "notes": picture.notes,
                "source_file": source_file,
                "source_row": source_row,
                "suffix": picture.suffix,
            }
        )
    return pd.DataFrame(rows)


def examples(refused: dict[str, str]) -> str:
    """The first refusals, to end a sentence with.

    >>> examples({"a.jpg": "the file is empty"})
    ', e.g. a.jpg: the file is empty'
    """
    shown = "; ".join(f"{name}: {reason}" for name, reason in list(refused.items())[:3])
    return f", e.g. {shown}" if shown else ""


def _map_in_order(
    pool: ThreadPoolExecutor, look: Callable[[Candidate], Picture | Refusal], candidates: list[Candidate]
) -> Iterator[tuple[Candidate, Picture | Refusal]]:
    """Like `pool.map`, with a bounded number of pictures in memory."""
    waiting = iter(candidates)
    running = [(candidate, pool.submit(look, candidate)) for candidate in islice(waiting, READS_IN_FLIGHT)]
    while running:
        candidate, future = running.pop(0)
        yield candidate, future.result()
        running += [(following, pool.submit(look, following)) for following in islice(waiting, 1)]
