import numpy as np
from auditing.audit_cases import cropped
from factories import smooth_image
from PIL import Image

from diffaug_pipeline.auditing.coarse import CROPS, coarse_vectors
from diffaug_pipeline.imaging.thumbnails import thumbnail

PICTURES = [smooth_image(f"picture {number}", (320, 320)) for number in range(4)]


def normalized(pictures: list[Image.Image]) -> np.ndarray:
    pixels = np.stack(
        [np.asarray(picture.convert("L").resize((16, 16), Image.Resampling.BOX), float).ravel() for picture in pictures]
    )
    pixels -= pixels.mean(1, keepdims=True)
    return pixels / np.linalg.norm(pixels, axis=1, keepdims=True)


def test_vectors_are_those_of_the_cropped_pictures():
    vectors = coarse_vectors(np.stack([thumbnail(picture) for picture in PICTURES]))
    assert vectors.shape == (len(CROPS), len(PICTURES), 256)
    for crop, found in zip(CROPS, vectors, strict=True):
        expected = normalized([cropped(picture, *crop) for picture in PICTURES])
        assert (found * expected).sum(1).min() > 0.999
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_a_blank_picture_is_like_blank_ones_alone():
    shown = thumbnail(PICTURES[0])
    vectors = coarse_vectors(np.stack([np.zeros((64, 64), np.uint8), np.full((64, 64), 200, np.uint8), shown]))[0]
    np.testing.assert_allclose(vectors @ vectors.T, [[1, 1, 0], [1, 1, 0], [0, 0, 1]], atol=1e-5)
