import numpy as np
import pandas as pd
import pytest
from factories import annotated_image_set, real_image_set
from PIL import Image
from robustness.robustness_cases import robustness_options

from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.robustness.corrupted_images import (
    CorruptedImageSet,
    limit_test_images,
    object_sizes,
    shrink,
)
from diffaug_pipeline.robustness.corruptions import corrupt
from diffaug_pipeline.seeding import derive_seed


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    """Forty cats and ten dogs to be tested with."""
    cats = real_image_set(tmp_path_factory.mktemp("cats"), {"train": 2, "test": 40}, ("cat",)).index
    dogs = real_image_set(tmp_path_factory.mktemp("dogs"), {"train": 2, "test": 10}, ("dog",)).index
    return ImageSet(pd.concat([cats, dogs], ignore_index=True))


def test_classes_have_their_share_of_the_test_images(real):
    limited = limit_test_images(real, robustness_options(max_images=20))
    assert limited.where(split="test").index["label"].value_counts().to_dict() == {"cat": 16, "dog": 4}
    assert len(limited.where(split="train")) == 4


def test_the_choice_follows_the_seed_and_not_the_order_of_images(real):
    def chosen(images: ImageSet, seed: int) -> set[str]:
        return set(limit_test_images(images, robustness_options(max_images=20, seed=seed)).index["image_id"])

    shuffled = ImageSet(real.index.sample(frac=1, random_state=0).reset_index(drop=True))
    assert chosen(real, 0) == chosen(shuffled, 0)
    assert chosen(real, 0) != chosen(real, 1)


def test_all_images_stay_where_there_are_few(real):
    limited = limit_test_images(real, robustness_options(max_images=500))
    assert limited.index.equals(real.index)


def test_corrupted_pictures_are_read_like_any_others(real):
    test = real.where(split="test")
    images = CorruptedImageSet.of(test, "gaussian_noise", [1, 5], seed=3)
    assert len(images) == 2 * len(test)
    first = test.index["image_id"].iloc[0]
    name = f"gaussian_noise/5/{first}"
    expected = corrupt(test.read(first), "gaussian_noise", 5, derive_seed(3, first, "gaussian_noise", 5))
    assert images.read(name).tobytes() == expected.tobytes()
    in_order = [image.tobytes() for image in images]
    assert in_order[images.index["image_id"].tolist().index(name)] == expected.tobytes()
    assert len(set(in_order)) == len(images)


def test_the_noise_of_a_picture_does_not_depend_on_what_else_is_in_the_set(real):
    test = real.where(split="test")
    name = f"fog/1/{test.index['image_id'].iloc[-1]}"
    some = CorruptedImageSet.of(ImageSet(test.index.tail(2).reset_index(drop=True)), "fog", [1], seed=0)
    assert some.read(name).tobytes() == CorruptedImageSet.of(test, "fog", [1, 3], seed=0).read(name).tobytes()


def test_a_part_of_a_corrupted_set_is_corrupted(real):
    images = CorruptedImageSet.of(real.where(split="test"), "contrast", [5], seed=0)
    part = images.where(label="dog")
    assert len(part) == 10
    assert np.asarray(next(iter(part))).std() < 0.3 * np.asarray(real.read("dog/test/0")).std()


def test_without_a_corruption_pictures_are_as_they_were(real):
    test = real.where(split="test")
    clean = CorruptedImageSet.of(test, None, [1, 5], seed=0)
    assert [image.tobytes() for image in clean] == [image.tobytes() for image in test]


def test_large_pictures_are_reduced_to_what_a_network_sees_with_their_boxes(tmp_path):
    real = annotated_image_set(
        tmp_path, (("test", (90, 60), (("bag", (10, 20, 40, 50), False),)), ("test", (20, 20), ()))
    )
    small = shrink(real, 45, "contain")
    assert small.index[["width_px", "height_px"]].to_numpy().tolist() == [[45, 30], [20, 20]]
    np.testing.assert_allclose(small.boxes[0].xyxy, [[5, 10, 20, 25]])
    assert shrink(real, 45, "cover").index["width_px"].tolist() == [68, 20]
    assert object_sizes(small) == [15, 15]
    clean, untouched = CorruptedImageSet.of(small, None, [], seed=0)
    assert clean.tobytes() == real.read("scene 0").resize((45, 30), Image.Resampling.LANCZOS).tobytes()
    assert untouched.tobytes() == real.read("scene 1").tobytes()
