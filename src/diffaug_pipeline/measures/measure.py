"""The measures of all synthetic and of the accepted images, per class and overall, from features that are there."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.features.crops import list_boxes
from diffaug_pipeline.features.features import Features, FeatureSpace
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.measures.comparison import Pictures, compare_sets
from diffaug_pipeline.measures.options import MeasureOptions
from diffaug_pipeline.seeding import derive_seed

NAME = "measures"
COLUMNS = ["set", "class_name", "measure", "mean", "low", "high", "images"]


@dataclass(frozen=True)
class _Embedded:
    """Images, or boxes, and what the backbone makes of them."""

    image_ids: np.ndarray
    labels: np.ndarray
    vectors: np.ndarray


def measure_synthetic_images(
    features: Features,
    real_images: ImageSet,
    synthetic_images: ImageSet,
    filter_decisions: pd.DataFrame,
    options: MeasureOptions,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A row per set, class and measure, and the same as a document with what the filter changed.

    Columns: `set` (`measures.catalogue.SETS`), `class_name` (null: all together), `measure`, `mean`, `low`, `high`
    and `images`, how many of each set in a draw; these four null where there were too few. Real ones are those of train
    and val. With boxes, pictures are their crops, and accepted those in accepted scenes.
    """
    space = features.measure
    real = _embed(space, ImageSet(real_images.index[real_images.index["split"] != "test"].reset_index(drop=True)))
    made = _embed(space, synthetic_images)
    passed = filter_decisions.loc[filter_decisions["accepted"], "image_id"]
    accepted = np.isin(made.image_ids, passed.to_numpy())
    whole = compare_sets(Pictures(real.vectors, made.vectors, accepted), options, derive_seed(options.seed, NAME))
    per_class = {
        name: compare_sets(_of_class(name, real, made, accepted), options, derive_seed(options.seed, NAME, name))
        for name in sorted({*real.labels, *made.labels})
    }
    document = {
        "model": space.model,
        "model_revision": space.model_revision,
        "is_filters_own": space.model == features.scorer.model,
        "pictures": "images" if real_images.target == "label" else "boxes",
        "options": options.model_dump(),
        **whole,
        "per_class": per_class,
    }
    return _tabulate(whole, per_class), document


def _embed(space: FeatureSpace, images: ImageSet) -> _Embedded:
    if images.target == "label":
        table, vectors = images.index, space.vectors_of(images)
    else:
        table = list_boxes(images)
        vectors = space.vectors_of_boxes(images, table)
    return _Embedded(table["image_id"].to_numpy(), table["label"].to_numpy(), vectors)


def _of_class(name: str, real: _Embedded, made: _Embedded, accepted: np.ndarray) -> Pictures:
    is_made = made.labels == name
    return Pictures(real.vectors[real.labels == name], made.vectors[is_made], accepted[is_made])


def _tabulate(whole: dict[str, Any], per_class: dict[str, dict[str, Any]]) -> pd.DataFrame:
    rows = [
        {"set": of_set, "class_name": class_name, "measure": measure} | (value or {})
        for class_name, document in {None: whole, **per_class}.items()
        for of_set, values in document["sets"].items()
        for measure, value in values.items()
    ]
    types = {"class_name": "str", "mean": float, "low": float, "high": float, "images": "Int64"}
    return pd.DataFrame(rows, columns=COLUMNS).astype(types)
