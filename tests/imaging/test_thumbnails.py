import numpy as np
from factories import noise_image, smooth_image
from PIL import Image

from diffaug_pipeline.imaging.thumbnails import thumbnail, thumbnails


def test_a_picture_that_is_a_multiple_of_the_size_is_reduced_to_averages():
    blocks = np.kron(np.arange(64 * 64).reshape(64, 64) % 251, np.ones((4, 4))).astype(np.uint8)
    noise = np.random.default_rng(0).integers(-2, 3, blocks.shape)
    squeezed = thumbnail(Image.fromarray((blocks.clip(2, 250) + noise).astype(np.uint8)).convert("RGB"))
    averaged = np.asarray(thumbnail(Image.fromarray(blocks)))
    assert np.abs(squeezed.astype(int) - averaged).max() <= 3


def test_the_whole_picture_is_squeezed_to_a_square():
    picture = Image.new("RGB", (300, 40), "white")
    picture.paste("black", (150, 0, 300, 40))
    squeezed = thumbnail(picture)
    assert squeezed.shape == (64, 64)
    assert squeezed.dtype == np.uint8
    assert (squeezed[:, :31] == 255).all()
    assert (squeezed[:, 33:] == 0).all()


def test_a_resized_picture_has_the_same_thumbnail():
    picture = smooth_image("any", (96, 80))
    for size in ((192, 160), (72, 60), (96, 120)):
        resized = picture.resize(size, Image.Resampling.LANCZOS)
        assert np.abs(thumbnail(resized).astype(int) - thumbnail(picture)).max() <= 6


def test_many_are_in_order():
    pictures = [noise_image(seed) for seed in range(3)]
    np.testing.assert_array_equal(thumbnails(pictures), np.stack([thumbnail(picture) for picture in pictures]))
