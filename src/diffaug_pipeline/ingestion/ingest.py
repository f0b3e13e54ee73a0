"""Reads a dataset: lists it, decodes every picture once, settles splits, reports what was refused and why."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.embedded import embedded_folder
from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.imaging.image_set import ImageSet, PlannedImageSet, leading_columns
from diffaug_pipeline.ingestion.image_file import USUAL_SUFFIXES, Picture, Refusal, inspect_picture
from diffaug_pipeline.ingestion.image_folder import list_image_folder
from diffaug_pipeline.ingestion.options import IngestionOptions
from diffaug_pipeline.ingestion.parquet import Unpacker, list_parquet
from diffaug_pipeline.ingestion.source import Candidate, Listing, UnreadableError
from diffaug_pipeline.ingestion.splits import assign_splits, limit_per_class, near_duplicate_groups
from diffaug_pipeline.progress import track

PICTURE_SUFFIXES = {suffix for suffixes in USUAL_SUFFIXES.values() for suffix in suffixes}
UNPACKED_PER_FOLDER = 500
READS_IN_FLIGHT = 64
LOOK_ALIKES_NAMED = 50

READERS: dict[str, Callable[[Path, float], Listing]] = {
    "image_folder": list_image_folder,
    "parquet": list_parquet,
}


def ingest(options: IngestionOptions) -> tuple[ImageSet | PlannedImageSet, dict[str, Any]]:
    """The dataset as an image set, used in place where it consists of files, and the report.

    Raises `DatasetFormatError` if the dataset cannot be understood or has fewer than two classes.
    """
    root = _locate(options.dataset)
    listing = READERS[_detect_format(root) if options.format == "auto" else options.format](
        root, options.max_file_megabytes
    )
    pictures, refused = _inspect(listing, options)
    refused = {**listing.refused, **refused}
    if pictures["label"].nunique() < 2:
        raise DatasetFormatError(
            f"{options.dataset} has usable pictures of {pictures['label'].nunique()} classes, at least 2 are needed; "
            f"{len(refused)} files were refused{_examples(refused)}."
        )
    pictures["group"] = near_duplicate_groups(np.stack(pictures.pop("thumbnail")), options.near_duplicate_distance)
    pictures["split"], splits = assign_splits(pictures, options.split_shares, options.seed)
    repeated = _exact_repeats(pictures)
    refused |= repeated
    pictures = pictures[~pictures["image_id"].isin(repeated)]
    kept = pictures[limit_per_class(pictures, options.images_per_class, options.seed)]
    _check_every_class_is_everywhere(kept)
    report = {
        "dataset": options.dataset,
        "format": listing.format,
        "splits": splits,
        "found": len(listing.candidates) + len(listing.refused),
        "used": len(kept),
        "left_out_by_limit": len(pictures) - len(kept),
        "refused": refused,
        "handled": dict(Counter(note for notes in kept["notes"] for note in notes)),
        "near_duplicates_across_splits": _near_duplicates_across_splits(kept),
        "images": {
            split: of_split["label"].value_counts().sort_index().to_dict() for split, of_split in kept.groupby("split")
        },
    }
    return _as_image_set(kept), report


def _locate(dataset: str) -> Path:
    root = embedded_folder(dataset) or Path(dataset).expanduser()
    if not root.exists():
        raise DatasetFormatError(
            f"the dataset {dataset!r} does not exist; set ingestion.dataset to a folder, a parquet file or "
            "embedded:fashion_few_shot."
        )
    return root


def _detect_format(root: Path) -> str:
    if root.is_file():
        if root.suffix == ".parquet":
            return "parquet"
        raise DatasetFormatError(f"{root} is a file; a dataset is a folder or a .parquet file.")
    suffixes = {path.suffix.lower() for path in root.rglob("*")}
    if ".parquet" not in suffixes:
        return "image_folder"
    if pictures := sorted(suffixes & PICTURE_SUFFIXES):
        raise DatasetFormatError(
            f"{root} holds .parquet and {', '.join(pictures)} files; say which are the dataset with ingestion.format: "
            "parquet or image_folder."
        )
    return "parquet"


def _inspect(listing: Listing, options: IngestionOptions) -> tuple[pd.DataFrame, dict[str, str]]:
    def look(candidate: Candidate) -> Picture | Refusal:
        try:
            return inspect_picture(candidate.read(), candidate.image_id, options.max_megapixels)
        except UnreadableError as error:
            return Refusal(str(error))

    rows, refused = [], {}
    with ThreadPoolExecutor() as pool:
        results = _map_in_order(pool, look, listing.candidates)
        for candidate, result in track(results, len(listing.candidates), "reading the dataset", "images"):
            if isinstance(result, Refusal):
                refused[candidate.image_id] = result.reason
                continue
            source_file, source_row = candidate.location or (None, None)
            rows.append(
                {
                    "image_id": candidate.image_id,
                    "path": candidate.path,
                    "width_px": result.width_px,
                    "height_px": result.height_px,
                    "split": candidate.split,
                    "origin": "real",
                    "label": candidate.label,
                    "size_bytes": result.size_bytes,
                    "sha256": result.sha256,
                    "recipe": None if candidate.path else result.sha256[:32],
                    "thumbnail": result.thumbnail,
                    "notes": result.notes,
                    "source_file": source_file,
                    "source_row": source_row,
                    "suffix": result.suffix,
                }
            )
    if not rows:
        raise DatasetFormatError(f"none of {len(refused)} files in {options.dataset} is usable{_examples(refused)}.")
    return pd.DataFrame(rows), refused


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


def _exact_repeats(pictures: pd.DataFrame) -> dict[str, str]:
    """Copies to leave out: of equal files the one in the most precious split stays; with two labels none does."""
    refused = {}
    precious = pictures["split"].map({"test": 0, "val": 1, "train": 2})
    for _, copies in pictures.assign(order=precious).sort_values(["order", "image_id"]).groupby("sha256"):
        if len(copies) == 1:
            continue
        first = copies.iloc[0]
        if copies["label"].nunique() > 1:
            labels = " and ".join(repr(label) for label in sorted(copies["label"].unique()))
            refused |= dict.fromkeys(copies["image_id"], f"the same file is labelled {labels}")
        else:
            refused |= dict.fromkeys(
                copies["image_id"].iloc[1:], f"the same file as {first['image_id']} ({first['split']})"
            )
    return refused


def _near_duplicates_across_splits(pictures: pd.DataFrame) -> dict[str, Any]:
    """How many groups of look-alikes the dataset's own splits tear apart, and the first of them."""
    splits = pictures.groupby("group")["split"].transform("nunique")
    torn = [of_group["image_id"].tolist() for _, of_group in pictures[splits > 1].groupby("group")]
    return {"groups": len(torn), "examples": torn[:LOOK_ALIKES_NAMED]}


def _check_every_class_is_everywhere(pictures: pd.DataFrame) -> None:
    present = pd.crosstab(pictures["label"], pictures["split"])
    absent = [
        f"{label!r} has no {split} images"
        for split in ("train", "val", "test")
        for label in present.index
        if split not in present or present.loc[label, split] == 0
    ]
    if absent:
        raise DatasetFormatError(f"{'; '.join(absent)}; every class needs images in train, val and test.")


def _as_image_set(pictures: pd.DataFrame) -> ImageSet | PlannedImageSet:
    pictures = pictures.sort_values("image_id").reset_index(drop=True)
    if pictures["path"].notna().all():
        return ImageSet(pictures[leading_columns("label")])
    location = ("source_file", "source_row", "suffix")
    return PlannedImageSet(
        pictures[[*leading_columns("label"), *location]],
        Unpacker(),
        batch_size=UNPACKED_PER_FOLDER,
        making_columns=location,
        description="unpacking",
    )


def _examples(refused: dict[str, str]) -> str:
    if not refused:
        return ""
    shown = "; ".join(f"{name}: {reason}" for name, reason in list(refused.items())[:3])
    return f", e.g. {shown}"
