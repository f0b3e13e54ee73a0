"""Near-copies of real images among synthetic ones: leakage (of validation and test images) and memorisation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.auditing.neighbours import NOBODY, Neighbours, distance_between, nearest
from diffaug_pipeline.auditing.options import AuditingOptions
from diffaug_pipeline.auditing.thresholds import are_copies, copy_threshold
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.progress import track

CALIBRATION_IMAGES = 2_000
"""More real images than that would not make thresholds or rates noticeably surer."""
CLOSEST_PAIRS = 6
"""Named in the calibration, for the report."""


@dataclass(frozen=True)
class Pictures:
    """Images by their thumbnails."""

    image_ids: pd.Index
    """(N,)"""
    thumbnails: np.ndarray
    """(N, 64, 64) uint8"""

    @classmethod
    def of(cls, images: ImageSet, thumbnails: np.ndarray) -> "Pictures":
        """`images` with their thumbnails in index order."""
        return cls(pd.Index(images.index["image_id"]), thumbnails)

    def __len__(self) -> int:
        return len(self.image_ids)

    def where(self, chosen: np.ndarray) -> "Pictures":
        """Those at the positions, or where the mask, `chosen`."""
        return Pictures(self.image_ids[chosen], self.thumbnails[chosen])

    def sample(self, most: int) -> "Pictures":
        """At most so many, evenly spread."""
        return self if len(self) <= most else self.where(np.linspace(0, len(self) - 1, most).astype(int))


def find_copies(
    synthetic_images: ImageSet,
    real_images: ImageSet,
    synthetic_thumbnails: np.ndarray,
    real_thumbnails: np.ndarray,
    options: AuditingOptions,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One row per synthetic image, and how the thresholds came about; thumbnails are in index order.

    Columns: `image_id`; `nearest_train_image_id`, `train_distance`, `train_runner_up_distance`, `is_train_copy`, of
    training images other than its own source; the same with `held_out`, of validation and test images;
    `source_distance`, NaN without a source. Distances are in [0, 1], 0 the same picture (`aligned_distance`).

    Training images, each compared with the others and with the held-out ones, set the two thresholds; on validation
    images the false alarms are counted. That synthetic images are compared with test images is the purpose of an
    audit; they decide about nothing but copies of themselves.
    """
    synthetic, real = Pictures.of(synthetic_images, synthetic_thumbnails), Pictures.of(real_images, real_thumbnails)
    sources = synthetic_images.index.get("source_image_id", pd.Series(None, synthetic_images.index.index, dtype=object))
    split = real_images.index["split"].to_numpy()
    train, val = real.where(split == "train"), real.where(split == "val")
    columns, calibration = {"image_id": synthetic.image_ids}, {}
    for name, references in (("train", train), ("held_out", real.where(split != "train"))):
        threshold, rates = _calibrate(train, val, references, options)
        found = _nearest(synthetic, sources, references, options)
        columns[f"nearest_{name}_image_id"] = _names(references, found)
        columns[f"{name}_distance"] = found.distances
        columns[f"{name}_runner_up_distance"] = found.runner_up_distances
        columns[f"is_{name}_copy"] = are_copies(found.distances, found.runner_up_distances, threshold)
        calibration[name] = {"threshold": threshold, "flagged": int(columns[f"is_{name}_copy"].sum()), **rates}
    columns["source_distance"] = _source_distances(synthetic, sources, real)
    copies = pd.DataFrame(columns)
    for name, document in calibration.items():
        document["closest"] = _closest(copies, name)
    return copies, {**options.model_dump(), "images": len(copies), "real_images": len(real), **calibration}


def _calibrate(
    train: Pictures, val: Pictures, references: Pictures, options: AuditingOptions
) -> tuple[float, dict[str, Any]]:
    """The threshold, by training images, and what it does to validation images as if these were synthetic."""
    train, val = train.sample(CALIBRATION_IMAGES), val.sample(CALIBRATION_IMAGES)
    expected = _nearest(train, train.image_ids, references, options)
    threshold = copy_threshold(expected.distances, options.false_alarm_rate)
    found = _nearest(val, val.image_ids, references, options)
    alarms = are_copies(found.distances, found.runner_up_distances, threshold)
    return threshold, {
        "calibration_images": len(train),
        "independent_images": len(val),
        "independent_flagged": int(alarms.sum()),
        "independent_flagged_rate": float(alarms.mean()) if len(val) else None,
    }


def _nearest(pictures: Pictures, own_ids: pd.Index, references: Pictures, options: AuditingOptions) -> Neighbours:
    """The nearest of the references other than the one whose id is a picture's own."""
    excluded = references.image_ids.get_indexer(own_ids)
    description = f"comparing {len(pictures)} images with {len(references)} real ones"
    return nearest(pictures.thumbnails, references.thumbnails, excluded, options.candidates, description)


def _names(references: Pictures, found: Neighbours) -> list[str | None]:
    return [None if number == NOBODY else references.image_ids[number] for number in found.numbers]


def _source_distances(synthetic: Pictures, sources: pd.Series, real: Pictures) -> np.ndarray:
    distances, numbers = np.full(len(synthetic), np.nan), real.image_ids.get_indexer(sources)
    with_source = np.flatnonzero(numbers != NOBODY)
    for row in track(with_source, len(with_source), "comparing images with their sources", "images"):
        distances[row] = distance_between(synthetic.thumbnails[row], real.thumbnails[numbers[row]])
    return distances


def _closest(copies: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    columns = {"image_id": "image_id", f"nearest_{name}_image_id": "real_image_id", f"{name}_distance": "distance"}
    nearest_first = copies.dropna(subset=f"nearest_{name}_image_id").sort_values(f"{name}_distance", kind="stable")
    return nearest_first.head(CLOSEST_PAIRS)[list(columns)].rename(columns=columns).to_dict("records")
