"""Options of filters, and evidence put together by hand."""

from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.evidence import Audit, Evidence
from diffaug_pipeline.filtering.options import CommonFilteringOptions, DetectionFilteringOptions, FilteringOptions
from diffaug_pipeline.filtering.overrides import Overrides
from diffaug_pipeline.imaging.image_set import ImageSet

COMMON = {
    "overrides": None,
    "min_images_per_class": 1,
    "blank": {"quantile": 0.0, "share": 0.5, "min_contrast": 0.02},
    "clip_score": {"quantile": 0.1},
    "zero_shot": {"quantile": 0.1},
    "memorisation": {"min_source_distance": None},
    "near_duplicates": {"quantile": 0.0, "share": 0.5},
}
IMAGES = {
    "rules": ["leakage", "blank", "clip_score", "zero_shot", "memorisation", "near_duplicates"],
    "task_model": {"min_confidence": 0.0, "keep_confident": 1.0, "seed": 0},
    "selection": {"policy": "threshold", "score": "clip_score", "top_k": 1, "top_share": 0.5, "cap_per_class": None},
}
SCENES = {
    "rules": ["clip_score", "zero_shot"],
    "unchanged_share": 0.3,
    "detector_agreement": {"confidence": 0.1, "iou": 0.5, "same_class": True},
    "undeclared_objects": {"confidence": 0.5, "covered": 0.5},
    "selection": {"policy": "threshold", "score": "clip_score", "top_k": 1, "top_share": 0.5, "cap": None},
}


def filtering_options(**changes: Any) -> FilteringOptions:
    """Blocks may name some of their fields."""
    return FilteringOptions(**_changed(COMMON | IMAGES, changes))


def scene_options(**changes: Any) -> DetectionFilteringOptions:
    """Likewise."""
    return DetectionFilteringOptions(**_changed(COMMON | SCENES, changes))


def _changed(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return values | {
        name: values[name] | change if isinstance(change, dict) else change for name, change in changes.items()
    }


def evidence(labels: list[str], class_names: tuple[str, ...] = ("cat", "dog"), **known: Any) -> Evidence:
    """On images a, b, c, ...; arrays may be lists."""
    table = pd.DataFrame({"image_id": [chr(ord("a") + number) for number in range(len(labels))], "label": labels})
    arrays = {name: np.array(value) if isinstance(value, list) else value for name, value in known.items()}
    return Evidence(table=table, class_names=class_names, **arrays)


def ask(rule: ModuleType, known: Evidence, thresholds: dict[str, Any], options: CommonFilteringOptions) -> pd.DataFrame:
    """The scores of a rule, and `passes` by what is stored of them."""
    scored = pd.concat([known.table, rule.score(known, thresholds, options)], axis=1)
    return scored.assign(passes=rule.passes(scored, thresholds))


def gray_thumbnails(*levels: float) -> np.ndarray:
    """(N, 64, 64) pictures of one level each."""
    return np.stack([np.full((64, 64), level, np.uint8) for level in levels])


def indexed_scenes(**boxes: list[tuple]) -> ImageSet:
    """An index without files: image ids with (label, xyxy[, ignored]) boxes."""
    rows = [
        {
            "image_id": image_id,
            "path": f"{image_id}.png",
            "width_px": 100,
            "height_px": 100,
            "split": "train",
            "origin": "synthetic",
            "boxes": [{"label": b[0], "xyxy": b[1], "ignored": len(b) > 2} for b in of_image],
            "size_bytes": 1,
            "sha256": "0",
            "recipe": None,
        }
        for image_id, of_image in boxes.items()
    ]
    return ImageSet(pd.DataFrame(rows))


def found(label: str, xyxy: list[float], confidence: float) -> dict[str, Any]:
    """What a detector says."""
    return {"label": label, "xyxy": xyxy, "confidence": confidence}


def overrides(**document: Any) -> Overrides:
    """As a file says them."""
    return Overrides.model_validate(document)


def as_synthetic(images: ImageSet, sourced: bool = False) -> ImageSet:
    """The same pictures as synthetic ones, with themselves as their sources or without any."""
    ids = images.index["image_id"]
    return ImageSet(
        images.index.assign(
            image_id=[f"synthetic:{image_id}" for image_id in ids],
            source_image_id=ids if sourced else None,
            split="train",
            origin="synthetic",
            recipe=[f"recipe of {image_id}" for image_id in ids],
        )
    )


def audit(copies: pd.DataFrame) -> Audit:
    """With what it usually says of independent images."""
    return Audit(copies, COPY_CALIBRATION)


def no_copies(images: ImageSet) -> pd.DataFrame:
    """What an audit says that finds none."""
    return pd.DataFrame(
        {
            "image_id": images.index["image_id"],
            "train_distance": 0.5,
            "is_train_copy": False,
            "held_out_distance": 0.6,
            "is_held_out_copy": False,
            "source_distance": np.nan,
        }
    )


COPY_CALIBRATION = {
    "train": {"independent_flagged_rate": 0.004},
    "held_out": {"independent_flagged_rate": 0.002},
}
