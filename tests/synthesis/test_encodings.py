"""Encodings that are remembered against those that are computed."""

import torch
from diffusers import AutoPipelineForImage2Image
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from factories import smooth_image
from torch import nn

from diffaug_pipeline.synthesis.encodings import RememberedEncodings, remember_encodings


class CountingEncoder:
    def __init__(self):
        self.asked = []

    def __call__(self, pixels):
        self.asked.append(float(pixels.sum()))
        return AutoencoderKLOutput(latent_dist=DiagonalGaussianDistribution(pixels[:, :2] * 2))


def of(value: float) -> torch.Tensor:
    return torch.full((1, 3, 2, 2), float(value))


def test_each_picture_is_encoded_once():
    encoder = CountingEncoder()
    encode = RememberedEncodings(encoder)
    assert [float(encode(of(value)).latent_dist.mean.mean()) for value in (1, 2, 1, 2, 1)] == [2, 4, 2, 4, 2]
    assert encoder.asked == [12, 24]


def test_precision_and_shape_make_a_difference():
    encoder = CountingEncoder()
    encode = RememberedEncodings(encoder)
    for pixels in (of(0), of(0).half(), of(0).reshape(1, 3, 1, 4)):
        assert encode(pixels).latent_dist.mean.dtype == pixels.dtype
    assert len(encoder.asked) == 3


def test_the_least_recently_used_makes_room():
    encoder = CountingEncoder()
    kept = [of(0)[:, :2], *[of(0)[:, :1]] * 4]  # parameters, mean, log-variance, deviation, variance
    encode = RememberedEncodings(encoder, max_bytes=2 * sum(tensor.nbytes for tensor in kept))
    for value in (1, 2, 1, 3, 1, 2):
        encode(of(value))
    assert encoder.asked == [12, 24, 36, 24]


def test_pictures_of_a_pipeline_stay_the_same_to_the_bit(tiny_generator):
    sources = [smooth_image(name, (16, 16)) for name in "aba"]

    def draw() -> tuple[list[bytes], int]:
        encoded = 0

        def count(*_) -> None:
            nonlocal encoded
            encoded += 1

        pipeline.vae.encoder.register_forward_hook(count)
        made = pipeline(
            ["a cat"] * 3,
            image=sources,
            strength=0.5,
            num_inference_steps=4,
            generator=[torch.Generator().manual_seed(seed) for seed in range(3)],
        ).images
        return [image.tobytes() for image in made], encoded

    def load() -> nn.Module:
        loaded = AutoPipelineForImage2Image.from_pretrained(tiny_generator, dtype=torch.float32)
        loaded.set_progress_bar_config(disable=True)
        return loaded

    pipeline = load()
    plain, encoded_plainly = draw()
    pipeline = load()
    remember_encodings(pipeline.vae)
    remembered, encoded = draw()
    assert remembered == plain
    assert len(set(plain)) == 3
    assert (encoded_plainly, encoded) == (3, 2)
