"""Which images are exported: what the arm augmented trains on, and real images to validate and test with."""

from typing import Literal

import pandas as pd

from diffaug_pipeline.errors import TrainingSetError
from diffaug_pipeline.formats.provenance import tabulate_provenance
from diffaug_pipeline.imaging.image_set import ImageSet, leading_columns


def gather_images(
    real_images: ImageSet,
    synthetic_images: ImageSet,
    training_set: ImageSet,
    include: Literal["augmented", "synthetic"],
) -> ImageSet:
    """Real images of all splits, unless left out, then the synthetic ones in `training_set`, with their provenance.

    `sampling_weight` is that of the training set, null for images outside it. Raises `TrainingSetError` if the training
    set holds synthetic images that are not among `synthetic_images`.
    """
    chosen = training_set.where(origin="synthetic").index["image_id"]
    synthetic = synthetic_images.index[synthetic_images.index["image_id"].isin(chosen)]
    if lost := len(chosen) - len(synthetic):
        raise TrainingSetError(
            f"{lost} synthetic images of the training set are not among those to export from; export what belongs to "
            "one run."
        )
    weights = training_set.index.set_index("image_id")["sampling_weight"]
    parts = [synthetic] if include == "synthetic" else [real_images.index, synthetic]
    return ImageSet(pd.concat([_with_provenance(rows, weights) for rows in parts], ignore_index=True))


def _with_provenance(rows: pd.DataFrame, weights: pd.Series) -> pd.DataFrame:
    """The columns of every index and those of provenance, typed, so that no seed is rounded where others have none."""
    images = ImageSet(rows.assign(sampling_weight=rows["image_id"].map(weights)).reset_index(drop=True))
    provenance = tabulate_provenance(images)
    return images.index[leading_columns(images.target)].assign(**{name: provenance[name] for name in provenance})
