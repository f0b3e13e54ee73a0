"""Training sets whose images have boxes instead of a label: shares are kept over all scenes."""

import numpy as np
import pandas as pd
import pytest
from factories import annotated_image_set

from diffaug_pipeline.errors import TrainingSetError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.merging import training_sets
from diffaug_pipeline.merging.options import MergingOptions
from diffaug_pipeline.merging.training_sets import ADDED_COLUMNS

BAG, COAT = ({"label": label, "xyxy": [1.0, 2.0, 20.0, 30.0], "ignored": False} for label in ("bag", "coat"))


def options(**changes) -> MergingOptions:
    values = {
        "policy": "replace",
        "probability": 0.3,
        "synthetic_loss_weight": 1.0,
        "synthetic_steps_share": 0.5,
        "seed": 0,
    }
    return MergingOptions(**values | changes)


@pytest.fixture
def real(tmp_path) -> ImageSet:
    """Four training images and a test image."""
    return annotated_image_set(tmp_path)


def scenes(count: int, strategy: str = "composition", boxes: tuple = (BAG, COAT), **columns) -> ImageSet:
    rows = [
        {
            "image_id": f"synthetic:{strategy}/{number}",
            "path": f"{number}.png",
            "width_px": 64,
            "height_px": 64,
            "split": "train",
            "origin": "synthetic",
            "boxes": list(boxes),
            "size_bytes": 1,
            "sha256": "",
            "recipe": f"{strategy}{number}",
            "source_image_id": "scene 0",
            "strategy": strategy,
        }
        | columns
        for number in range(count)
    ]
    return ImageSet(pd.DataFrame(rows))


def decisions(images: ImageSet, accepted: int) -> pd.DataFrame:
    """The first `accepted` scenes pass."""
    return pd.DataFrame({"image_id": images.index["image_id"], "accepted": np.arange(len(images)) < accepted})


def copies(images: ImageSet, leaked: tuple[str, ...] = ()) -> pd.DataFrame:
    """As auditing tells: the `leaked` ones copy a test image."""
    ids = images.index["image_id"]
    return pd.DataFrame({"image_id": ids, "nearest_held_out_image_id": "scene 4", "is_held_out_copy": ids.isin(leaked)})


def synthetic_ids(training_set: ImageSet) -> list[str]:
    return training_set.where(origin="synthetic").index["image_id"].tolist()


def test_real_only_holds_every_training_image_with_its_boxes(real):
    rows = training_sets.real_only(real).index
    train = real.where(split="train").index
    assert rows["image_id"].tolist() == train["image_id"].tolist()
    assert rows["boxes"].tolist() == train["boxes"].tolist()
    assert rows["sampling_weight"].tolist() == [0.25] * 4
    assert "label" not in rows
    assert list(rows)[-len(ADDED_COLUMNS) :] == ADDED_COLUMNS


def test_replace_gives_the_accepted_scenes_their_share(real):
    made = scenes(10)
    training_set = training_sets.augmented(real, made, decisions(made, 5), copies(made), options())
    rows = training_set.index
    assert synthetic_ids(training_set) == made.index["image_id"].tolist()[:5]
    assert rows["sampling_weight"].sum() == pytest.approx(1)
    np.testing.assert_allclose(rows.loc[rows["origin"] == "synthetic", "sampling_weight"], 0.3 / 5)
    np.testing.assert_allclose(rows.loc[rows["origin"] == "real", "sampling_weight"], 0.7 / 4)
    assert set(rows["loss_weight"]) == {1.0}
    assert [box["label"] for box in rows["boxes"].iloc[-1]] == ["bag", "coat"]


def test_concatenate_draws_all_images_equally(real):
    made = scenes(6)
    rows = training_sets.augmented(real, made, decisions(made, 6), copies(made), options(policy="concatenate")).index
    np.testing.assert_allclose(rows["sampling_weight"], 1 / 10)


def test_random_filtered_takes_as_many_scenes_but_others(real):
    made = scenes(40)
    decided = decisions(made, 15)
    filtered = synthetic_ids(training_sets.augmented(real, made, decided, copies(made), options()))
    drawn = synthetic_ids(training_sets.random_filtered(real, made, decided, copies(made), options()))
    assert len(drawn) == len(filtered) == 15
    assert set(drawn) != set(filtered)
    assert drawn == synthetic_ids(training_sets.random_filtered(real, made, decided, copies(made), options()))
    assert drawn != synthetic_ids(training_sets.random_filtered(real, made, decided, copies(made), options(seed=1)))


@pytest.mark.parametrize(("accepted", "taken"), [(3, 3), (10, 6)])
def test_copy_paste_takes_as_many_composites_as_there_are(real, accepted, taken):
    made, composites = scenes(10), scenes(6, "copy_paste")
    training_set = training_sets.copy_paste(real, composites, decisions(made, accepted), copies(composites), options())
    chosen = synthetic_ids(training_set)
    assert len(set(chosen)) == taken
    assert set(chosen) <= set(composites.index["image_id"])
    rows = training_set.index
    assert rows.loc[rows["origin"] == "synthetic", "sampling_weight"].sum() == pytest.approx(0.3)
    assert set(rows.loc[rows["origin"] == "real", "image_id"]) == set(real.where(split="train").index["image_id"])


def test_synthetic_only_holds_accepted_scenes_alone(real):
    made = scenes(8)
    rows = training_sets.synthetic_only(real, made, decisions(made, 5), copies(made)).index
    assert rows["image_id"].tolist() == made.index["image_id"].tolist()[:5]
    assert rows["sampling_weight"].tolist() == [0.2] * 5


def test_synthetic_only_without_a_box_of_a_class_says_which(real):
    made = scenes(8, boxes=(BAG, COAT | {"ignored": True}))
    with pytest.raises(TrainingSetError, match="no synthetic image of coat was accepted"):
        training_sets.synthetic_only(real, made, decisions(made, 8), copies(made))


@pytest.mark.parametrize("make", [training_sets.augmented, training_sets.random_filtered, training_sets.copy_paste])
def test_a_source_outside_training_is_refused(real, make):
    leaking = scenes(3, source_image_id="scene 4")
    with pytest.raises(TrainingSetError, match=r"not real training images, e\.g\. scene 4"):
        make(real, leaking, decisions(leaking, 3), copies(leaking), options())


@pytest.mark.parametrize("make", [training_sets.augmented, training_sets.random_filtered, training_sets.copy_paste])
def test_a_scene_outside_the_train_split_is_refused(real, make):
    leaking = scenes(3, split="test")
    with pytest.raises(TrainingSetError, match=r"not of the train split, e\.g\. synthetic:composition/0"):
        make(real, leaking, decisions(leaking, 3), copies(leaking), options())


def test_nothing_accepted_is_an_error_that_says_what_to_do(real):
    made = scenes(3)
    with pytest.raises(TrainingSetError, match="none of 3 synthetic images was accepted"):
        training_sets.augmented(real, made, decisions(made, 0), copies(made), options())


@pytest.mark.parametrize("policy", ["pretrain_finetune", "replace_early"])
def test_schedules_end_on_real_scenes_alone(real, policy):
    made = scenes(5)
    rows = training_sets.augmented(real, made, decisions(made, 5), copies(made), options(policy=policy)).index
    synthetic = rows["origin"] == "synthetic"
    assert rows.loc[synthetic, "sampling_weight"].sum() == pytest.approx(1 if policy == "pretrain_finetune" else 0.3)
    assert rows.loc[synthetic, "late_sampling_weight"].sum() == 0
    assert rows["late_sampling_weight"].sum() == pytest.approx(1)


def test_composites_that_copy_a_held_out_scene_are_left_out(real):
    made, composites = scenes(3), scenes(4, "copy_paste")
    leaked = ("synthetic:copy_paste/0", "synthetic:copy_paste/2")
    audited = copies(composites, leaked)
    training_set = training_sets.copy_paste(real, composites, decisions(made, 3), audited, options())
    assert synthetic_ids(training_set) == ["synthetic:copy_paste/1", "synthetic:copy_paste/3"]
