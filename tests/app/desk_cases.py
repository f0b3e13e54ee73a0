"""Runs for the filter desk to look at: small ones, but decided by the real filters and stored by the real catalog."""

from pathlib import Path
from typing import Any

import pandas as pd
from factories import cats_and_dogs, real_image_set
from features.feature_cases import feature_options, make_features
from filtering.filter_cases import as_synthetic, audit, filtering_options, no_copies, overrides, scene_options
from kedro.io import Version

from diffaug_pipeline.features.embedding import PlannedFeatures
from diffaug_pipeline.features.options import FeatureOptions
from diffaug_pipeline.filtering.images import filter_images
from diffaug_pipeline.filtering.scenes import filter_scenes
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.project import Project

RUN = "decided"


def store_run(opened: Project, task: str, folder: Path, clip: Path, run_id: str = RUN) -> None:
    """Twenty-four cats and dogs, or twelve scenes with some, judged by two rules of CLIP that passes half of them."""
    for name, artifact in (_images(folder, clip) if task == "classification" else _scenes(folder, clip)).items():
        opened.catalog.get(f"{task}.{name}", version=Version(None, run_id)).save(artifact)


def _images(folder: Path, clip: Path) -> dict[str, Any]:
    real = real_image_set(folder / "real", {"train": 12, "val": 4})
    made = as_synthetic(real.where(split="train"))
    asked = feature_options(clip)
    features = make_features(folder / "features", real, made, asked)
    options = filtering_options(rules=["leakage", "clip_score", "zero_shot"], clip_score={"quantile": 0.4})
    decisions, calibration = filter_images(
        made, real, features, audit(_copies(made, real)), pd.DataFrame(), overrides(), options
    )
    return _stored(real, made, asked, decisions, calibration)


def _scenes(folder: Path, clip: Path) -> dict[str, Any]:
    real = cats_and_dogs(folder / "real")
    made = as_synthetic(real.where(split="train"))
    asked = feature_options(clip, crop_context=0.0)
    features = make_features(folder / "features", real, made, asked)
    nothing = pd.DataFrame({"image_id": pd.Series(dtype=str), "boxes": pd.Series(dtype=object)})
    options = scene_options(clip_score={"quantile": 0.3})
    decisions, scores, calibration = filter_scenes(
        made, real, features, audit(_copies(made, real)), nothing, overrides(), options
    )
    return _stored(real, made, asked, decisions, calibration) | {"box_scores": scores}


def _stored(
    real: ImageSet, made: ImageSet, asked: FeatureOptions, decisions: pd.DataFrame, calibration: dict[str, Any]
) -> dict[str, Any]:
    return {
        "real_images": real,
        "synthetic_images": made,
        "image_features": PlannedFeatures(real, made, asked),
        "copies": _copies(made, real),
        "filter_decisions": decisions,
        "filter_calibration": calibration,
        "filter_overrides": overrides().as_document(),
    }


def _copies(made: ImageSet, real: ImageSet) -> pd.DataFrame:
    """The first is a copy of a validation image, the others are like training images."""
    train, val = (real.where(split=split).index["image_id"] for split in ("train", "val"))
    found = no_copies(made).assign(
        nearest_train_image_id=[train[number % len(train)] for number in range(len(made))],
        nearest_held_out_image_id=val[0],
    )
    found.loc[0, "is_held_out_copy"] = True
    return found
