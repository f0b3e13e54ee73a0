"""Training sets: an image set of training rows with how often each is drawn and how much its loss counts.

| column | meaning |
|---|---|
| `source_image_id` | null for real images and for synthetic ones made from text alone |
| `sampling_weight` | share of the draws in the first part of the steps; sums to 1 |
| `late_sampling_weight` | share of the draws afterwards; sums to 1 |
| `late_from` | share of the steps, in (0, 1], after which the late weights hold; 1: never; equal in all rows |
| `loss_weight` | of a draw, relative to a real image's 1 |

`copies` is the table of `auditing`: for each synthetic image whether it copies a real validation or test image.
"""

import numpy as np
import pandas as pd

from diffaug_pipeline.errors import LeakageError, TrainingSetError
from diffaug_pipeline.imaging.image_set import ImageSet, leading_columns, target_of
from diffaug_pipeline.merging.options import MergingOptions
from diffaug_pipeline.seeding import derive_seed

ADDED_COLUMNS = ["source_image_id", "sampling_weight", "late_sampling_weight", "late_from", "loss_weight"]


def real_only(real_images: ImageSet) -> ImageSet:
    """All real training images, drawn equally often."""
    train = real_images.where(split="train").index
    return _training_set(_drawn_throughout(train.assign(source_image_id=None), 1 / len(train)), train)


def augmented(
    real_images: ImageSet,
    synthetic_images: ImageSet,
    decisions: pd.DataFrame,
    copies: pd.DataFrame,
    options: MergingOptions,
) -> ImageSet:
    """Real training images and the accepted synthetic ones, mixed by the policy."""
    return _mix(real_images, _accepted(synthetic_images, decisions), copies, options)


def replaced(
    real_images: ImageSet,
    synthetic_images: ImageSet,
    decisions: pd.DataFrame,
    copies: pd.DataFrame,
    probability: float,
) -> ImageSet:
    """Like `augmented` with policy `replace`, at any `probability` in (0, 1)."""
    rows, train, is_synthetic = _joined(real_images, _accepted(synthetic_images, decisions))
    return _training_set(_drawn_throughout(rows, _replacement_weights(rows, is_synthetic, probability)), train, copies)


def random_filtered(
    real_images: ImageSet,
    synthetic_images: ImageSet,
    decisions: pd.DataFrame,
    copies: pd.DataFrame,
    options: MergingOptions,
) -> ImageSet:
    """Like `augmented` with as many synthetic images per class, drawn at random: does the filter earn its keep?

    Copies of validation and test images are not among those drawn from: they would win for the wrong reason.
    """
    drawn, allowed = [], _that_copy_nothing_held_out(decisions["image_id"], copies)
    for label, of_class in decisions.groupby(_strata(decisions)):
        rng = np.random.default_rng(derive_seed(options.seed, "random_filtered", str(label)))
        candidates = of_class.loc[of_class["image_id"].isin(allowed), "image_id"].to_numpy()
        count = min(int(of_class["accepted"].sum()), len(candidates))
        drawn += rng.choice(candidates, count, replace=False).tolist()
    return _mix(real_images, _rows(synthetic_images, drawn), copies, options)


def synthetic_only(
    real_images: ImageSet, synthetic_images: ImageSet, decisions: pd.DataFrame, copies: pd.DataFrame
) -> ImageSet:
    """The accepted synthetic images alone, classes drawn as often as among the real ones."""
    train = real_images.where(split="train").index
    rows = _rows(synthetic_images, decisions.loc[decisions["accepted"], "image_id"])
    if bare := sorted(set(ImageSet(train).class_names) - set(ImageSet(rows).class_names)):
        raise TrainingSetError(
            f"no synthetic image of {', '.join(bare)} was accepted; raise synthesis.images_per_class or filter less."
        )
    share, strata = _strata(train).value_counts(normalize=True), _strata(rows)
    weight = strata.map(share) / rows.groupby(strata)["image_id"].transform("size")
    return _training_set(_drawn_throughout(rows, weight), train, copies)


def copy_paste(
    real_images: ImageSet,
    composites: ImageSet,
    decisions: pd.DataFrame,
    copies: pd.DataFrame,
    options: MergingOptions,
) -> ImageSet:
    """Like `augmented` with as many `composites` of real cut-outs: what does compositing alone explain?

    `copies` is of the composites; those that copy validation or test images are not among those drawn from.
    """
    ids, count = composites.index["image_id"], int(decisions["accepted"].sum())
    candidates = _that_copy_nothing_held_out(ids, copies)
    rng = np.random.default_rng(derive_seed(options.seed, "copy_paste"))
    drawn = rng.choice(candidates, min(count, len(candidates)), replace=False).tolist()
    return _mix(real_images, _rows(composites, drawn), copies, options)


def _accepted(synthetic_images: ImageSet, decisions: pd.DataFrame) -> pd.DataFrame:
    accepted = decisions.loc[decisions["accepted"], "image_id"]
    if accepted.empty:
        raise TrainingSetError(
            f"none of {len(decisions)} synthetic images was accepted, so there is nothing to compare; look at them, "
            "filter less (filtering.rules), or choose another synthesis.generator."
        )
    return _rows(synthetic_images, accepted)


def _that_copy_nothing_held_out(image_ids: pd.Series, copies: pd.DataFrame) -> np.ndarray:
    return image_ids[~image_ids.isin(copies.loc[copies["is_held_out_copy"], "image_id"])].to_numpy()


def _mix(real_images: ImageSet, synthetic: pd.DataFrame, copies: pd.DataFrame, options: MergingOptions) -> ImageSet:
    rows, train, is_synthetic = _joined(real_images, synthetic)
    if options.policy in {"concatenate", "loss_weight"}:
        rows = _drawn_throughout(rows, 1 / len(rows))
    elif options.policy == "replace":
        rows = _drawn_throughout(rows, _replacement_weights(rows, is_synthetic, options.probability))
    else:
        early = 1.0 if options.policy == "pretrain_finetune" else options.probability
        rows = _drawn_throughout(rows, _replacement_weights(rows, is_synthetic, early)).assign(
            late_sampling_weight=_replacement_weights(rows, is_synthetic, 0.0), late_from=options.synthetic_steps_share
        )
    if options.policy == "loss_weight":
        rows["loss_weight"] = np.where(is_synthetic, options.synthetic_loss_weight, 1.0)
    return _training_set(rows, train, copies)


def _joined(real_images: ImageSet, synthetic: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """The rows of real training images and of synthetic ones, the former alone, and which of all are synthetic."""
    train = real_images.where(split="train").index.assign(source_image_id=None)
    rows = pd.concat([train, synthetic], ignore_index=True)
    return rows, train, rows["origin"] == "synthetic"


def _drawn_throughout(rows: pd.DataFrame, weight: pd.Series | float) -> pd.DataFrame:
    """`rows` drawn alike in all steps, every draw counting the same."""
    return rows.assign(sampling_weight=weight, late_sampling_weight=weight, late_from=1.0, loss_weight=1.0)


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


def _training_set(rows: pd.DataFrame, real_train: pd.DataFrame, copies: pd.DataFrame | None = None) -> ImageSet:
    """Checks what must hold of every training set, whatever made it; `copies` covers its synthetic images."""
    if outside := rows.loc[rows["split"] != "train", "image_id"].tolist():
        raise TrainingSetError(f"{len(outside)} images are not of the train split, e.g. {outside[0]}.")
    sources = rows["source_image_id"].dropna()
    if foreign := sorted(set(sources) - set(real_train["image_id"])):
        raise TrainingSetError(
            f"{len(foreign)} source images of synthetic ones are not real training images, e.g. {foreign[0]}; "
            "synthesise again from this split."
        )
    if copies is not None:
        _check_leakage(rows.loc[rows["origin"] == "synthetic", "image_id"], copies)
    return ImageSet(rows[leading_columns(target_of(rows)) + ADDED_COLUMNS].reset_index(drop=True))


def _check_leakage(synthetic_ids: pd.Series, copies: pd.DataFrame) -> None:
    if unaudited := sorted(set(synthetic_ids) - set(copies["image_id"])):
        raise TrainingSetError(
            f"{len(unaudited)} synthetic images were not compared with validation and test images, e.g. "
            f"{unaudited[0]}; run the stage auditing on these images."
        )
    leaked = copies[copies["is_held_out_copy"] & copies["image_id"].isin(synthetic_ids)]
    if not leaked.empty:
        first = leaked.iloc[0]
        raise LeakageError(
            f"{len(leaked)} of {len(synthetic_ids)} synthetic images to train on copy real validation or test images: "
            f"{first['image_id']} is a copy of {first['nearest_held_out_image_id']}; put the rule leakage back into "
            "filtering.rules, or remove the override that let the image in, or the image itself."
        )
