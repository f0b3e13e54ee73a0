"""Ultralytics' augmentation over our draws."""

import numpy as np
import pytest
import torch
from factories import annotated_image_set

from diffaug_pipeline.detection.augmentation import AugmentedBatches, DrawnImages, seed_augmentation
from diffaug_pipeline.detection.options import DetectionAugmentationOptions
from diffaug_pipeline.imaging.boxes import Boxes

PLAIN = {
    "mosaic": 0.0,
    "steps_without_mosaic": 0,
    "scale": 0.0,
    "translate": 0.0,
    "degrees": 0.0,
    "fliplr": 0.0,
    "hsv_h": 0.0,
    "hsv_s": 0.0,
    "hsv_v": 0.0,
}
BOX = Boxes.of([{"label": "cat", "xyxy": [8, 16, 40, 64], "ignored": False}])


def batches(draws: list[list[int]], count: int = 6, first_late_step: int | None = None, **changes) -> AugmentedBatches:
    """`count` pictures, each of one level of gray, with a cat each but for picture 0; None: no late steps."""
    pixels = np.stack([np.full((3, 64, 64), 40 * number, np.uint8) for number in range(count)])
    images = DrawnImages(pixels, [Boxes.of([])] + [BOX] * (count - 1), ["bird", "cat"], np.array(draws))
    late = len(draws) if first_late_step is None else first_late_step
    return AugmentedBatches(images, 64, DetectionAugmentationOptions(**PLAIN | changes), len(draws[0]), late)


def levels(batch: dict[str, torch.Tensor]) -> list[list[int]]:
    return [sorted(set((255 * image).round().int().flatten().tolist())) for image in batch["img"]]


def test_without_augmentation_draws_come_through_as_they_are():
    batch = batches([[1, 0], [3, 3]]).batch(0)
    assert levels(batch) == [[40], [0]]
    assert batch["batch_idx"].tolist() == [0]
    assert batch["cls"].tolist() == [[1]]
    np.testing.assert_allclose(batch["bboxes"][0], [24 / 64, 40 / 64, 0.5, 0.75], atol=1e-6)


def test_colors_keep_their_channels():
    pixels = np.zeros((1, 3, 32, 32), np.uint8)
    pixels[0, 0] = 200
    images = DrawnImages(pixels, [Boxes.of([])], ["cat"], np.array([[0]]))
    batch = AugmentedBatches(images, 32, DetectionAugmentationOptions(**PLAIN), 1, 1).batch(0)
    assert (batch["img"][0, 0] * 255).round().unique().tolist() == [200]
    assert batch["img"][0, 1:].max() == 0


def test_a_mirrored_picture_has_mirrored_boxes():
    batch = batches([[1]], fliplr=1.0).batch(0)
    np.testing.assert_allclose(batch["bboxes"][0, 0], 1 - 24 / 64, atol=1e-6)


def test_a_mosaic_is_made_of_drawn_pictures_only():
    seed_augmentation(0)
    made = batches([[1] * 8, [2] * 8], mosaic=1.0)
    shown = {level for step in (0, 1) for of_image in levels(made.batch(step)) for level in of_image}
    assert shown <= {40, 80, 114}
    assert {40, 80} <= shown


def test_mosaics_hold_no_draws_from_before_or_after_the_weights_change():
    seed_augmentation(0)
    made = batches([[1, 2]] * 6 + [[3, 4]] * 6, first_late_step=6, mosaic=1.0)
    shown = [{level for of_image in levels(made.batch(step)) for level in of_image} for step in range(12)]
    assert set.union(*shown[:6]) - {114} == {40, 80}
    assert set.union(*shown[6:]) - {114} == {120, 160}


def test_the_last_steps_have_no_mosaic():
    seed_augmentation(0)
    made = batches([[1] * 4, [2] * 4, [3] * 4], mosaic=1.0, steps_without_mosaic=1)
    assert any(len(of_image) > 1 for of_image in levels(made.batch(0)))
    assert levels(made.batch(2)) == [[120]] * 4


def test_the_same_seed_gives_the_same_batches():
    made = batches([[1, 2, 3, 4]], mosaic=1.0, scale=0.5, hsv_v=0.4, fliplr=0.5)
    first, second = [], []
    for kept in (first, second):
        seed_augmentation(2**40 + 7)
        kept.append(made.batch(0))
    for name in first[0]:
        torch.testing.assert_close(first[0][name], second[0][name], rtol=0, atol=0)


@pytest.mark.parametrize("field", ["mosaic", "fliplr"])
def test_chances_are_between_nothing_and_certainty(field):
    with pytest.raises(ValueError, match=field):
        DetectionAugmentationOptions(**PLAIN | {field: 1.5})


def test_real_pictures_of_any_size_have_their_boxes_in_input_pixels(tmp_path):
    from diffaug_pipeline.training.pixels import decode_to_file

    images = annotated_image_set(tmp_path / "real")
    pixels = decode_to_file(images, 64, "contain", tmp_path / "pixels.npy")
    for frame, boxes, row in zip(pixels.frames, images.boxes, images.index.itertuples(), strict=True):
        placed = frame.place(boxes.xyxy)
        assert (placed >= -1e-6).all()
        assert (placed <= 64 + 1e-6).all()
        np.testing.assert_allclose(frame.place_back(placed), boxes.xyxy, atol=1e-9)
        assert frame.original_size_px == (row.width_px, row.height_px)
