import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from factories import real_image_set
from pydantic import ValidationError

from diffaug_pipeline.errors import LeakageError, TrainingSetError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.merging import training_sets
from diffaug_pipeline.merging.options import MergingOptions


def options(**changes) -> MergingOptions:
    return MergingOptions(
        **{
            "policy": "replace",
            "probability": 0.3,
            "synthetic_loss_weight": 0.25,
            "synthetic_steps_share": 0.4,
            "seed": 0,
        }
        | changes
    )


@pytest.fixture
def real(tmp_path) -> ImageSet:
    return real_image_set(tmp_path, {"train": 6, "val": 2, "test": 3}, ("bird", "cat", "dog"))


def synthetic(per_class: dict[str, int], **columns) -> ImageSet:
    rows = [
        {
            "image_id": f"synthetic:{label}/{number}",
            "path": f"{label}{number}.png",
            "width_px": 32,
            "height_px": 32,
            "split": "train",
            "origin": "synthetic",
            "label": label,
            "size_bytes": 1,
            "sha256": "",
            "recipe": f"{label}{number}",
            "source_image_id": None,
        }
        | columns
        for label, count in per_class.items()
        for number in range(count)
    ]
    return ImageSet(pd.DataFrame(rows))


def decisions(images: ImageSet, rejected: tuple[str, ...] = ()) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": images.index["image_id"],
            "label": images.index["label"],
            "accepted": ~images.index["image_id"].isin(rejected),
        }
    )


def copies(images: ImageSet, leaked: dict[str, str] | None = None) -> pd.DataFrame:
    """As auditing tells: `leaked` names the held-out image that a synthetic one copies."""
    leaked = leaked or {}
    ids = images.index["image_id"].tolist()
    return pd.DataFrame(
        {
            "image_id": ids,
            "nearest_held_out_image_id": [leaked.get(image_id, "bird/val/0") for image_id in ids],
            "is_held_out_copy": [image_id in leaked for image_id in ids],
        }
    )


def merge(make: Callable, real: ImageSet, made: ImageSet, rejected: tuple[str, ...] = (), **changes) -> ImageSet:
    """A training set of images none of which leaks."""
    return make(real, made, decisions(made, rejected), copies(made), options(**changes))


def share(rows: pd.DataFrame, **values: str) -> float:
    chosen = np.logical_and.reduce([rows[column] == value for column, value in values.items()])
    return rows.loc[chosen, "sampling_weight"].sum()


def test_real_only_draws_every_training_image_equally(real):
    rows = training_sets.real_only(real).index
    assert set(rows["image_id"]) == set(real.where(split="train").index["image_id"])
    np.testing.assert_allclose(rows["sampling_weight"], 1 / 18)


def test_replace_keeps_classes_and_gives_the_synthetic_ones_their_share(real):
    made = synthetic({"bird": 10, "cat": 2})
    rows = merge(training_sets.augmented, real, made, ("synthetic:bird/0",)).index
    assert rows["sampling_weight"].sum() == pytest.approx(1)
    for label in ("bird", "cat", "dog"):
        assert share(rows, label=label) == pytest.approx(1 / 3)
    assert share(rows, label="bird", origin="synthetic") == pytest.approx(0.3 / 3)
    assert share(rows, label="cat", origin="synthetic") == pytest.approx(0.3 / 3)
    assert share(rows, label="dog", origin="real") == pytest.approx(1 / 3)
    assert "synthetic:bird/0" not in set(rows["image_id"])
    assert set(rows["loss_weight"]) == {1.0}


def test_concatenate_draws_all_images_equally(real):
    made = synthetic({"bird": 4, "cat": 4, "dog": 4})
    rows = merge(training_sets.augmented, real, made, policy="concatenate").index
    np.testing.assert_allclose(rows["sampling_weight"], 1 / 30)
    assert set(rows["loss_weight"]) == {1.0}


def test_loss_weight_scales_the_synthetic_ones(real):
    made = synthetic({"bird": 4})
    rows = merge(training_sets.augmented, real, made, policy="loss_weight").index
    assert rows.groupby("origin")["loss_weight"].unique().map(list).to_dict() == {"real": [1.0], "synthetic": [0.25]}


def test_without_a_schedule_late_weights_never_hold(real):
    made = synthetic({"bird": 4})
    for policy in ("replace", "concatenate", "loss_weight"):
        rows = merge(training_sets.augmented, real, made, policy=policy).index
        assert set(rows["late_from"]) == {1.0}
        assert rows["late_sampling_weight"].equals(rows["sampling_weight"])


@pytest.mark.parametrize(("policy", "early"), [("pretrain_finetune", 1.0), ("replace_early", 0.3)])
def test_schedules_have_synthetic_images_first_and_real_ones_alone_afterwards(real, policy, early):
    made = synthetic({"bird": 10, "cat": 2})
    rows = merge(training_sets.augmented, real, made, policy=policy).index
    assert set(rows["late_from"]) == {0.4}
    late = rows.assign(sampling_weight=rows["late_sampling_weight"])
    for label in ("bird", "cat"):
        assert share(rows, label=label, origin="synthetic") == pytest.approx(early / 3)
        assert share(rows, label=label, origin="real") == pytest.approx((1 - early) / 3)
    for label in ("bird", "cat", "dog"):
        assert share(late, label=label, origin="real") == pytest.approx(1 / 3)
    assert share(rows, label="dog") == pytest.approx(1 / 3), "a class without synthetic images keeps its real ones"
    assert share(late, origin="synthetic") == 0


@pytest.mark.parametrize("share_kept", [0.0, 1.0])
def test_a_part_of_the_steps_that_holds_none_or_all_is_refused(share_kept):
    with pytest.raises(ValidationError, match="synthetic_steps_share"):
        options(synthetic_steps_share=share_kept)


def test_replaced_is_the_policy_at_any_probability(real):
    made = synthetic({"bird": 10, "cat": 2})
    replaced = training_sets.replaced(real, made, decisions(made), copies(made), 0.8).index
    assert replaced.equals(merge(training_sets.augmented, real, made, probability=0.8).index)


def test_random_filtered_takes_as_many_per_class_but_others(real):
    made = synthetic({"bird": 40, "cat": 40})
    rejected = (*(f"synthetic:bird/{number}" for number in range(30)), "synthetic:cat/0")
    filtered = merge(training_sets.augmented, real, made, rejected).where(origin="synthetic").index
    drawn = merge(training_sets.random_filtered, real, made, rejected).where(origin="synthetic").index
    assert (
        drawn["label"].value_counts().to_dict()
        == filtered["label"].value_counts().to_dict()
        == {
            "bird": 10,
            "cat": 39,
        }
    )
    assert set(drawn["image_id"]) != set(filtered["image_id"])
    again = merge(training_sets.random_filtered, real, made, rejected).where(origin="synthetic").index
    assert drawn.equals(again)


def test_synthetic_only_holds_no_real_image_and_keeps_class_shares(real):
    made = synthetic({"bird": 4, "cat": 9, "dog": 2})
    rows = training_sets.synthetic_only(real, made, decisions(made), copies(made)).index
    assert set(rows["origin"]) == {"synthetic"}
    for label in ("bird", "cat", "dog"):
        assert share(rows, label=label) == pytest.approx(1 / 3)


def test_synthetic_only_without_images_of_a_class_says_which(real):
    made = synthetic({"bird": 4, "cat": 1})
    with pytest.raises(TrainingSetError, match="no synthetic image of cat, dog was accepted"):
        training_sets.synthetic_only(real, made, decisions(made, ("synthetic:cat/0",)), copies(made))


def test_a_source_outside_training_is_refused(real):
    made = synthetic({"bird": 2}, source_image_id="bird/test/0")
    with pytest.raises(TrainingSetError, match=r"not real training images, e\.g\. bird/test/0"):
        merge(training_sets.augmented, real, made)


def test_a_synthetic_image_outside_the_train_split_is_refused(real):
    made = synthetic({"bird": 2}, split="test")
    with pytest.raises(TrainingSetError, match=r"not of the train split, e\.g\. synthetic:bird/0"):
        merge(training_sets.augmented, real, made)


def test_nothing_accepted_is_an_error_that_says_what_to_do(real):
    images = synthetic({"bird": 2, "cat": 2, "dog": 2})
    rejected = tuple(images.index["image_id"])
    with pytest.raises(TrainingSetError, match="none of 6 synthetic images was accepted"):
        merge(training_sets.augmented, real, images, rejected)


def test_decisions_on_other_images_are_refused(real):
    images, others = synthetic({"cat": 2}), synthetic({"cat": 3})
    with pytest.raises(TrainingSetError, match="1 images that the filter decided on are not among"):
        training_sets.augmented(real, images, decisions(others), copies(others), options())


LEAKED = {"synthetic:cat/1": "cat/test/2", "synthetic:dog/0": "dog/val/1"}


def test_a_copy_of_a_held_out_image_is_refused_naming_both(real):
    made = synthetic({"bird": 2, "cat": 2, "dog": 2})
    message = (
        "2 of 6 synthetic images to train on copy real validation or test images: synthetic:cat/1 is a copy of "
        "cat/test/2; put the rule leakage back into filtering.rules, or remove the override that let the image in, or "
        "the image itself."
    )
    decided, audited = decisions(made), copies(made, LEAKED)
    with pytest.raises(LeakageError, match=f"^{re.escape(message)}$"):
        training_sets.augmented(real, made, decided, audited, options())
    with pytest.raises(LeakageError, match=f"^{re.escape(message)}$"):
        training_sets.replaced(real, made, decided, audited, 0.5)
    with pytest.raises(LeakageError, match=f"^{re.escape(message)}$"):
        training_sets.synthetic_only(real, made, decided, audited)


def test_a_copy_that_is_rejected_leaks_nothing(real):
    made = synthetic({"bird": 2, "cat": 2, "dog": 2})
    decided, audited = decisions(made, tuple(LEAKED)), copies(made, LEAKED)
    rows = training_sets.augmented(real, made, decided, audited, options()).where(origin="synthetic").index
    assert len(rows) == 4
    for seed in range(20):
        drawn = training_sets.random_filtered(real, made, decided, audited, options(seed=seed)).index
        assert set(drawn["image_id"]).isdisjoint(LEAKED)


def test_images_that_were_not_audited_are_refused(real):
    made = synthetic({"bird": 3})
    with pytest.raises(TrainingSetError, match=r"1 synthetic images were not compared .* e\.g\. synthetic:bird/2"):
        training_sets.augmented(real, made, decisions(made), copies(made).head(2), options())
