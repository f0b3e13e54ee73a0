"""What CLIP and the eye of a pixel say about every picture, and how far each cell's pictures are from real ones."""

import numpy as np
import pandas as pd

from diffaug_pipeline.evaluation.kernel_distance import kernel_distances, real_floor
from diffaug_pipeline.features.class_scores import nearest_classes
from diffaug_pipeline.features.encoder import ClipScorer
from diffaug_pipeline.features.options import ScorerOptions
from diffaug_pipeline.filtering.rules import clip_score
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.scheduler_study.cells import LONG_RUN
from diffaug_pipeline.scheduler_study.options import SchedulerStudyOptions
from diffaug_pipeline.scheduler_study.plan import NAME
from diffaug_pipeline.seeding import derive_seed
from diffaug_pipeline.synthesis.known_classes import classes_taught, unknown_classes

REAL = "real images"
"""In the place of a cell: real images that other real images are compared with."""


def score_images(
    synthetic_images: ImageSet,
    real_images: ImageSet,
    study: SchedulerStudyOptions,
    judging: ScorerOptions,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per image, and one per cell.

    Per image: `image_id`, `cell`, `draw`, `is_extra`; `clip_score`, 2.5 times the cosine to the prompt, at least 0
    (Hessel et al. 2021, section 3), NaN where the scorer was only taught certain classes and the prompt names none;
    `agrees`, 1 where the scorer takes it for its class, NaN where it does not know the classes; `distance`, root of the
    mean squared difference to the long run's picture of the same draw, pixels in [0, 1]; `similarity`, cosine to that.

    Per cell: `cell`; `kid`, to real training and validation images; `over_halves`, see `KernelDistance`. The row
    `REAL` holds the mean of what real images get, and each draw of them.
    """
    scorer = ClipScorer(judging.clip_model, judging.clip_revision, judging.device)
    features = scorer.embed_images(synthetic_images, judging.batch_size, "scoring generated images")
    index = synthetic_images.index
    scores = index[["image_id", "cell", "draw", "is_extra"]].assign(
        clip_score=_clip_scores(index, features, scorer, judging),
        agrees=_agreements(index, features, scorer, real_images.class_names, judging),
        distance=distances_to_long_run(synthetic_images),
        similarity=(features * features[_position_of_long_run(index)]).sum(1),
    )
    reference = reference_images(real_images, study.max_real_images, seed)
    real = scorer.embed_images(reference, judging.batch_size, "scoring real images")
    return scores, _kernel_distances(index, features, real, study.halves, seed)


def reference_images(real_images: ImageSet, most: int, seed: int) -> ImageSet:
    """Real images that may be looked at to choose by: of train and val, up to `most`, drawn at random."""
    usable = real_images.index[real_images.index["split"] != "test"]
    order = np.random.default_rng(derive_seed(seed, NAME, "real images")).permutation(len(usable))
    return ImageSet(usable.iloc[np.sort(order[:most])].reset_index(drop=True))


def distances_to_long_run(images: ImageSet) -> np.ndarray:
    """(N,) root mean squared differences, pixels in [0, 1], of each image to that of its draw in `LONG_RUN`."""
    index = images.index
    distances = np.empty(len(index))
    for _, of_draw in index.groupby("draw", sort=False):
        (long_run,) = of_draw.loc[of_draw["cell"] == LONG_RUN, "image_id"]
        target = np.asarray(images.read(long_run), dtype=np.float64) / 255
        for position, image_id in zip(of_draw.index, of_draw["image_id"], strict=True):
            picture = np.asarray(images.read(image_id), dtype=np.float64) / 255
            distances[position] = np.sqrt(np.mean((picture - target) ** 2))
    return distances


def _position_of_long_run(index: pd.DataFrame) -> np.ndarray:
    long_run = index[index["cell"] == LONG_RUN]
    return index["draw"].map(pd.Series(long_run.index, index=long_run["draw"])).to_numpy()


def _clip_scores(index: pd.DataFrame, features: np.ndarray, scorer: ClipScorer, judging: ScorerOptions) -> np.ndarray:
    prompts = index["prompt"].unique().tolist()
    of_prompts = scorer.embed_classes(prompts, ["{class_name}"])
    places = index["prompt"].map({prompt: place for place, prompt in enumerate(prompts)}).to_numpy()
    scores = clip_score.WEIGHT * (features * of_prompts[places]).sum(1).clip(0)
    taught = classes_taught(judging.clip_model)
    return scores if taught is None else np.where(index["label"].isin(taught), scores, np.nan)


def _agreements(
    index: pd.DataFrame, features: np.ndarray, scorer: ClipScorer, class_names: list[str], judging: ScorerOptions
) -> np.ndarray:
    if unknown_classes(judging.clip_model, class_names):
        return np.full(len(index), np.nan)
    nearest = nearest_classes(features, scorer.embed_classes(class_names, judging.templates), class_names)
    return np.where(index["is_extra"], np.nan, nearest == index["label"])


def _kernel_distances(
    index: pd.DataFrame, features: np.ndarray, real: np.ndarray, halves: int, seed: int
) -> pd.DataFrame:
    of_classes = index[~index["is_extra"]]
    sets = {cell: features[rows.sort_values("draw").index] for cell, rows in of_classes.groupby("cell", sort=False)}
    floor = real_floor(real, len(next(iter(sets.values()))), halves, derive_seed(seed, NAME, "floor"))
    distances = kernel_distances(real, sets, halves, derive_seed(seed, NAME, "halves"))
    rows = [(cell, distance.value, distance.over_halves) for cell, distance in distances.items()]
    return pd.DataFrame([*rows, (REAL, floor.mean(), floor)], columns=["cell", "kid", "over_halves"])
