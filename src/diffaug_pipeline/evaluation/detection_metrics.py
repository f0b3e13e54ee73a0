"""Metrics of detections as COCO defines them, as single figures and over many resamples of the test images at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.average_precision import (
    EVERY_AREA_PX,
    Detections,
    Matches,
    Truth,
    match,
    mean_average_precision,
)
from diffaug_pipeline.imaging.image_set import ImageSet

AREAS_PX = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, EVERY_AREA_PX[1])}
"""COCO's sizes of objects, in square pixels of the original image."""
AT_IOU = {"map_50_95": slice(None), "map_50": slice(0, 1), "map_75": slice(5, 6)}
"""Which of the IoU thresholds a metric averages over."""
METRIC_NAMES = (*AT_IOU, *(f"map_{name}" for name in AREAS_PX), "ar_100")


def summarize_detections(predictions: pd.DataFrame, truth: ImageSet) -> dict[str, Any]:
    """`METRIC_NAMES` per seed and on average, in [0, 1]; null where the test images of `truth` show no such object.

    Per class, averaged over seeds: `map_50_95`, `map_50` and the number of `boxes` that count.
    """
    test, per_seed, precisions = _DetectionTest.of(truth, "test"), {}, []
    for seed, detections in test.detections(predictions).items():
        matches = match(detections, test.truth)
        precisions.append(_on_all_images(matches))
        by_area = {name: match(detections, test.truth, area_px) for name, area_px in AREAS_PX.items()}
        per_seed[str(seed)] = (
            {name: _figure(precisions[-1][:, :, thresholds]) for name, thresholds in AT_IOU.items()}
            | {f"map_{name}": _figure(_on_all_images(of_area)) for name, of_area in by_area.items()}
            | {"ar_100": _figure(matches.recalls()[None])}
        )
    by_class, boxes = np.mean(precisions, axis=0)[0], np.bincount(test.truth.label[~test.truth.ignored])
    return {
        "per_seed": per_seed,
        "mean": {name: _mean([row[name] for row in per_seed.values()]) for name in METRIC_NAMES},
        "per_class": {
            name: {
                "map_50_95": float(by_class[number].mean()),
                "map_50": float(by_class[number, 0]),
                "boxes": int(boxes[number]),
            }
            for number, name in enumerate(test.truth.class_names)
        },
    }


def _on_all_images(matches: Matches) -> np.ndarray:
    return matches.average_precisions(np.ones((1, matches.objects.shape[1])))


def _figure(values: np.ndarray) -> float | None:
    mean = float(mean_average_precision(values)[0])
    return None if np.isnan(mean) else mean


def _mean(values: list[float | None]) -> float | None:
    return None if None in values else float(np.mean(values))


@dataclass(frozen=True, eq=False)
class _DetectionTest:
    """The images of a split of a dataset, in the order of their ids, and what is to be found on them."""

    image_ids: list[str]
    split: str
    truth: Truth
    taught: list[str]
    """Classes of the whole dataset, some of which these images may not show."""

    @classmethod
    def of(cls, truth: ImageSet, split: str) -> "_DetectionTest":
        test = truth.where(split=split)
        image_ids = sorted(test.index["image_id"])
        if not test.class_names:
            raise ValueError(
                f"none of the {len(test)} {split} images has a box that counts, so nothing can be found or missed; "
                f"put images with objects into the {split} split."
            )
        boxes = [test.boxes_of(image_id) for image_id in image_ids]
        return cls(image_ids, split, Truth.of(boxes, test.class_names), truth.class_names)

    def detections(self, predictions: pd.DataFrame) -> dict[int, Detections]:
        """By seed, in the order of the images."""
        return {int(seed): self._of_seed(int(seed), rows) for seed, rows in predictions.groupby("seed")}

    def _of_seed(self, seed: int, rows: pd.DataFrame) -> Detections:
        if sorted(rows["image_id"]) != self.image_ids:
            missing = set(self.image_ids) - set(rows["image_id"])
            raise ValueError(
                f"predictions of seed {seed} are {len(rows)} rows and must be one per {self.split} image, "
                f"{len(self.image_ids)}; {len(missing)} images are missing. Predict again, on the {self.split} images "
                "of this dataset."
            )
        records = [list(of_image) for of_image in rows.set_index("image_id")["boxes"][self.image_ids]]
        if unknown := {row["label"] for of_image in records for row in of_image} - set(self.taught):
            raise ValueError(
                f"seed {seed} found {', '.join(sorted(unknown))}; the dataset has {', '.join(self.taught)}. "
                "Predict with a detector that was trained on this dataset."
            )
        return Detections.of(records, self.truth.class_names)


@dataclass(frozen=True, eq=False)
class DetectionOutcomes:
    """One arm's detections, matched once: what became of each, for every seed."""

    matches: list[Matches]
    """One per seed, all on the same N images."""
    class_names: list[str]
    seeds: list[int]
    image_ids: list[str]

    @classmethod
    def of(cls, predictions: pd.DataFrame, truth: ImageSet, split: str = "test") -> "DetectionOutcomes":
        """From a predictions table on a `split` and the whole dataset; images in the order of their ids.

        Classes that no image of the split shows have no figure, as in COCO. Raises ValueError if a seed's rows are not
        one per image of it, or name classes the dataset does not have.
        """
        test = _DetectionTest.of(truth, split)
        detections = test.detections(predictions)
        return cls(
            matches=[match(of_seed, test.truth) for of_seed in detections.values()],
            class_names=test.truth.class_names,
            seeds=list(detections),
            image_ids=test.image_ids,
        )

    def metrics(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        """Each (B, S): `map_50_95`, `map_50` and `ap:<class>` on B resamples given by (B, N) `counts`.

        A class that a resample does not show is left out of its means; its own figure is NaN.
        """
        precisions = [of_seed.average_precisions(counts) for of_seed in self.matches]

        def over_seeds(metric: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
            return np.stack([metric(of_seed) for of_seed in precisions], axis=1)

        by_class = over_seeds(lambda of_seed: of_seed.mean(2))
        return {
            "map_50_95": over_seeds(mean_average_precision),
            "map_50": over_seeds(lambda of_seed: mean_average_precision(of_seed[:, :, :1])),
            **{f"ap:{name}": by_class[:, :, number] for number, name in enumerate(self.class_names)},
        }

    def asked_the_same(self, other: "DetectionOutcomes") -> bool:
        """Whether both were asked about the same images with the same objects."""
        objects, of_other = self.matches[0].objects, other.matches[0].objects
        return self.image_ids == other.image_ids and np.array_equal(objects, of_other)
