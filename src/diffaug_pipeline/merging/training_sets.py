"""Training sets: an image set of training rows with how often each is drawn and how much its loss counts.

`sampling_weight` sums to 1; `loss_weight` is relative to a real image's 1.
"""

import numpy as np
import pandas as pd

from diffaug_pipeline.errors import TrainingSetError
from diffaug_pipeline.imaging.image_set import ImageSet, leading_columns, target_of
from diffaug_pipeline.merging.options import MergingOptions
from diffaug_pipeline.seeding import derive_seed

ADDED_COLUMNS = ["source_image_id", "sampling_weight", "loss_weight"]


def real_only(real_images: ImageSet) -> ImageSet:
    """All real training images, drawn equally often."""
    train = real_images.where(split="train").index
    return _training_set(train.assign(source_image_id=None, sampling_weight=1 / len(train), loss_weight=1.0), train)


def augmented(
    real_images: ImageSet, synthetic_images: ImageSet, decisions: pd.DataFrame, options: MergingOptions
) -> ImageSet:
    """Real training images and the accepted synthetic ones, mixed by the policy."""
    accepted = decisions.loc[decisions["accepted"], "image_id"]
    if accepted.empty:
        raise TrainingSetError(
            f"none of {len(decisions)} synthetic images was accepted, so there is nothing to compare; look at them, "
            "filter less (filtering.clip_score, filtering.zero_shot), or choose another synthesis.generator."
        )
    return _mix(real_images, _rows(synthetic_images, accepted), options)


def random_filtered(
    real_images: ImageSet, synthetic_images: ImageSet, decisions: pd.DataFrame, options: MergingOptions
) -> ImageSet:
    """Like `augmented` with as many synthetic images per class, drawn at random: does the filter earn its keep?"""
    drawn = []
    for label, of_class in decisions.groupby(_strata(decisions)):
        rng = np.random.default_rng(derive_seed(options.seed, "random_filtered", str(label)))
        drawn += rng.choice(of_class["image_id"].to_numpy(), int(of_class["accepted"].sum()), replace=False).tolist()
    return _mix(real_images, _rows(synthetic_images, drawn), options)


def synthetic_only(real_images: ImageSet, synthetic_images: ImageSet, decisions: pd.DataFrame) -> ImageSet:
    """The accepted synthetic images alone, classes drawn as often as among the real ones."""
    train = real_images.where(split="train").index
    rows = _rows(synthetic_images, decisions.loc[decisions["accepted"], "image_id"])
    if bare := sorted(set(ImageSet(train).class_names) - set(ImageSet(rows).class_names)):
        raise TrainingSetError(
            f"no synthetic image of {', '.join(bare)} was accepted; raise synthesis.images_per_class or filter less."
        )
    share, strata = _strata(train).value_counts(normalize=True), _strata(rows)
    weight = strata.map(share) / rows.groupby(strata)["image_id"].transform("size")
    return _training_set(rows.assign(sampling_weight=weight, loss_weight=1.0), train)


def copy_paste(
    real_images: ImageSet, composites: ImageSet, decisions: pd.DataFrame, options: MergingOptions
) -> ImageSet:
    """Like `augmented` with as many `composites` of real cut-outs: what does compositing alone explain?"""
    ids, count = composites.index["image_id"].to_numpy(), int(decisions["accepted"].sum())
    rng = np.random.default_rng(derive_seed(options.seed, "copy_paste"))
    return _mix(real_images, _rows(composites, rng.choice(ids, min(count, len(ids)), replace=False).tolist()), options)


def _mix(real_images: ImageSet, synthetic: pd.DataFrame, options: MergingOptions) -> ImageSet:
    train = real_images.where(split="train").index.assign(source_image_id=None)
    rows = pd.concat([train, synthetic], ignore_index=True)
    is_synthetic = rows["origin"] == "synthetic"
    if options.policy == "replace":
        weight = _replacement_weights(rows, is_synthetic, options.probability)
    else:
        weight = pd.Series(1 / len(rows), index=rows.index)
    scaled = options.policy == "loss_weight"
    loss_weight = np.where(is_synthetic & scaled, options.synthetic_loss_weight, 1.0)
    return _training_set(rows.assign(sampling_weight=weight, loss_weight=loss_weight), train)


def _replacement_weights(rows: pd.DataFrame, is_synthetic: pd.Series, probability: float) -> pd.Series:
    """Classes as often as among real images; within a class its synthetic ones share `probability`."""
    strata = _strata(rows)
    real_count = (~is_synthetic).groupby(strata).transform("sum")
    synthetic_count = is_synthetic.groupby(strata).transform("sum")
    class_share = real_count / (~is_synthetic).sum()
    given_up = np.where(synthetic_count > 0, probability, 0.0)
    within_class = np.where(is_synthetic, given_up / synthetic_count.clip(lower=1), (1 - given_up) / real_count)
    return class_share * within_class


def _strata(table: pd.DataFrame) -> pd.Series:
    """Within what shares are kept: the class; images with boxes are all of one kind."""
    return table["label"] if "label" in table else pd.Series("", index=table.index)


def _rows(images: ImageSet, image_ids: list[str] | pd.Series) -> pd.DataFrame:
    wanted = set(image_ids)
    chosen = images.index[images.index["image_id"].isin(wanted)].reset_index(drop=True)
    if lost := len(wanted) - len(chosen):
        raise TrainingSetError(
            f"{lost} images that the filter decided on are not among the synthetic images; filter these images anew."
        )
    return chosen


def _training_set(rows: pd.DataFrame, real_train: pd.DataFrame) -> ImageSet:
    """Checks what must hold of every training set, whatever made it."""
    if outside := rows.loc[rows["split"] != "train", "image_id"].tolist():
        raise TrainingSetError(f"{len(outside)} images are not of the train split, e.g. {outside[0]}.")
    sources = rows["source_image_id"].dropna()
    if foreign := sorted(set(sources) - set(real_train["image_id"])):
        raise TrainingSetError(
            f"{len(foreign)} source images of synthetic ones are not real training images, e.g. {foreign[0]}; "
            "synthesise again from this split."
        )
    return ImageSet(rows[leading_columns(target_of(rows)) + ADDED_COLUMNS].reset_index(drop=True))
