import numpy as np
import pandas as pd
import pytest
from factories import real_image_set

from diffaug_pipeline.errors import TrainingSetError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.merging import training_sets
from diffaug_pipeline.merging.options import MergingOptions


def options(**changes) -> MergingOptions:
    return MergingOptions(
        **{"policy": "replace", "probability": 0.3, "synthetic_loss_weight": 0.25, "seed": 0} | changes
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


def share(rows: pd.DataFrame, **values: str) -> float:
    chosen = np.logical_and.reduce([rows[column] == value for column, value in values.items()])
    return rows.loc[chosen, "sampling_weight"].sum()


def test_real_only_draws_every_training_image_equally(real):
    rows = training_sets.real_only(real).index
    assert set(rows["image_id"]) == set(real.where(split="train").index["image_id"])
    np.testing.assert_allclose(rows["sampling_weight"], 1 / 18)


def test_replace_keeps_classes_and_gives_the_synthetic_ones_their_share(real):
    made = synthetic({"bird": 10, "cat": 2})
    rows = training_sets.augmented(real, made, decisions(made, ("synthetic:bird/0",)), options()).index
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
    rows = training_sets.augmented(real, made, decisions(made), options(policy="concatenate")).index
    np.testing.assert_allclose(rows["sampling_weight"], 1 / 30)
    assert set(rows["loss_weight"]) == {1.0}


def test_loss_weight_scales_the_synthetic_ones(real):
    made = synthetic({"bird": 4})
    rows = training_sets.augmented(real, made, decisions(made), options(policy="loss_weight")).index
    assert rows.groupby("origin")["loss_weight"].unique().map(list).to_dict() == {"real": [1.0], "synthetic": [0.25]}


def test_random_filtered_takes_as_many_per_class_but_others(real):
    made = synthetic({"bird": 40, "cat": 40})
    rejected = (*(f"synthetic:bird/{number}" for number in range(30)), "synthetic:cat/0")
    decided = decisions(made, rejected)
    filtered = training_sets.augmented(real, made, decided, options()).where(origin="synthetic").index
    drawn = training_sets.random_filtered(real, made, decided, options()).where(origin="synthetic").index
    assert (
        drawn["label"].value_counts().to_dict()
        == filtered["label"].value_counts().to_dict()
        == {
            "bird": 10,
            "cat": 39,
        }
    )
    assert set(drawn["image_id"]) != set(filtered["image_id"])
    again = training_sets.random_filtered(real, made, decided, options()).where(origin="synthetic").index
    assert drawn.equals(again)


def test_synthetic_only_holds_no_real_image_and_keeps_class_shares(real):
    made = synthetic({"bird": 4, "cat": 9, "dog": 2})
    rows = training_sets.synthetic_only(real, made, decisions(made)).index
    assert set(rows["origin"]) == {"synthetic"}
    for label in ("bird", "cat", "dog"):
        assert share(rows, label=label) == pytest.approx(1 / 3)


def test_synthetic_only_without_images_of_a_class_says_which(real):
    made = synthetic({"bird": 4, "cat": 1})
    with pytest.raises(TrainingSetError, match="no synthetic image of cat, dog was accepted"):
        training_sets.synthetic_only(real, made, decisions(made, ("synthetic:cat/0",)))


def test_a_source_outside_training_is_refused(real):
    made = synthetic({"bird": 2}, source_image_id="bird/test/0")
    with pytest.raises(TrainingSetError, match=r"not real training images, e\.g\. bird/test/0"):
        training_sets.augmented(real, made, decisions(made), options())


def test_a_synthetic_image_outside_the_train_split_is_refused(real):
    made = synthetic({"bird": 2}, split="test")
    with pytest.raises(TrainingSetError, match=r"not of the train split, e\.g\. synthetic:bird/0"):
        training_sets.augmented(real, made, decisions(made), options())


def test_nothing_accepted_is_an_error_that_says_what_to_do(real):
    images = synthetic({"bird": 2, "cat": 2, "dog": 2})
    rejected = tuple(images.index["image_id"])
    with pytest.raises(TrainingSetError, match="none of 6 synthetic images was accepted"):
        training_sets.augmented(real, images, decisions(images, rejected), options())


def test_decisions_on_other_images_are_refused(real):
    images, others = synthetic({"cat": 2}), synthetic({"cat": 3})
    with pytest.raises(TrainingSetError, match="1 images that the filter decided on are not among"):
        training_sets.augmented(real, images, decisions(others), options())
