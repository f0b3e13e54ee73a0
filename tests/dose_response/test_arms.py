import pytest
from dose_response.dose_cases import as_synthetic, copies, decisions, study_options
from factories import annotated_image_set, real_image_set

from diffaug_pipeline.dose_response.arms import Ingredients, names, real_subsets
from diffaug_pipeline.errors import LeakageError


@pytest.fixture
def ingredients(tmp_path) -> Ingredients:
    real = real_image_set(tmp_path, {"train": 8, "val": 2})
    made = as_synthetic(real)
    return Ingredients(real, made, decisions(made), copies(made))


def test_each_ratio_has_its_share_of_every_batch(ingredients):
    options = study_options(ratios=[0.0, 0.25, 1.0, 5.0])
    sets = dict(ingredients.training_sets(options))
    assert list(sets) == names(ingredients.real_images, options)
    shares = {
        name: of_arm.index.loc[of_arm.index["origin"] == "synthetic", "sampling_weight"].sum()
        for name, of_arm in sets.items()
    }
    ratios = {name: share / (1 - share) for name, share in shares.items() if name.startswith("ratio")}
    assert ratios == pytest.approx({"ratio_0": 0, "ratio_0.25": 0.25, "ratio_1": 1, "ratio_5": 5})
    assert {name for name, share in shares.items() if share == 0} == {"ratio_0", "real_0.25", "real_0.5", "real_0.75"}


def test_smaller_sets_of_real_images_are_parts_of_larger_ones_and_keep_the_classes(ingredients):
    subsets = [images.index for images in real_subsets(ingredients.real_images, study_options()).values()]
    assert [subset["label"].value_counts().to_dict() for subset in subsets] == [
        {"cat": count, "dog": count} for count in (2, 4, 6)
    ]
    ids = [set(subset["image_id"]) for subset in subsets]
    assert ids[0] < ids[1] < ids[2] < set(ingredients.real_images.where(split="train").index["image_id"])
    other = real_subsets(ingredients.real_images, study_options(seed=1))["real_0.5"].index
    assert set(other["image_id"]) != ids[1]


def test_shares_that_come_to_the_same_images_or_to_all_are_left_out(ingredients):
    options = study_options(real_shares=[0.01, 0.1, 0.5, 0.97])
    assert list(real_subsets(ingredients.real_images, options)) == ["real_0.01", "real_0.5"]


def test_images_with_boxes_are_taken_whatever_they_show(tmp_path):
    real = annotated_image_set(tmp_path)
    subsets = real_subsets(real, study_options())
    assert [len(images) for images in subsets.values()] == [1, 2, 3]
    assert all(set(images.index["split"]) == {"train"} for images in subsets.values())


def test_a_leaked_image_stops_the_study(ingredients):
    leaking = Ingredients(
        ingredients.real_images,
        ingredients.synthetic_images,
        ingredients.decisions,
        copies(ingredients.synthetic_images, "synthetic:cat/train/3"),
    )
    with pytest.raises(LeakageError, match="synthetic:cat/train/3 is a copy of cat/test/0"):
        dict(leaking.training_sets(study_options()))
