from dataclasses import replace

import pytest
from export.export_cases import LARGEST_SEED, image_run

from diffaug_pipeline.errors import TrainingSetError
from diffaug_pipeline.export.contents import gather_images
from diffaug_pipeline.imaging.image_set import ImageSet


@pytest.fixture
def run(tmp_path):
    return image_run(tmp_path)


def test_splits_stay_and_only_accepted_synthetic_images_join_train(run):
    images = gather_images(run.real_images, run.synthetic_images, run.training_set, "augmented").index
    assert images.groupby(["split", "origin"]).size().to_dict() == {
        ("train", "real"): 6,
        ("train", "synthetic"): 3,
        ("val", "real"): 4,
        ("test", "real"): 4,
    }
    assert "synthetic:mine/000003" not in set(images["image_id"])
    assert images["path"].tolist()[:14] == run.real_images.index["path"].tolist()


def test_the_real_images_can_be_left_out(run):
    images = gather_images(run.real_images, run.synthetic_images, run.training_set, "synthetic").index
    assert images["image_id"].tolist() == [f"synthetic:mine/{number:06d}" for number in range(3)]


def test_no_seed_is_rounded_because_real_images_have_none(run):
    images = gather_images(run.real_images, run.synthetic_images, run.training_set, "augmented").index
    assert images["seed"].dropna().tolist() == [LARGEST_SEED - number for number in range(3)]


def test_training_images_have_the_weight_they_were_drawn_with(run):
    images = gather_images(run.real_images, run.synthetic_images, run.training_set, "augmented").index
    assert images.groupby("split")["sampling_weight"].sum().to_dict() == pytest.approx(
        {"train": 1, "val": 0, "test": 0}
    )


def test_a_training_set_of_another_run_is_refused(run):
    others = ImageSet(run.synthetic_images.index.iloc[1:].reset_index(drop=True))
    with pytest.raises(TrainingSetError, match="1 synthetic images of the training set are not among those to export"):
        gather_images(
            run.real_images, replace(run, synthetic_images=others).synthetic_images, run.training_set, "augmented"
        )
