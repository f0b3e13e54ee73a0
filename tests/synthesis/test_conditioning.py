import numpy as np
import pytest
import torch
from diffusers import AutoPipelineForText2Image
from generator_models import BUILDERS
from models import save_tiny_generator

from diffaug_pipeline.synthesis.conditioning import Conditioning, guidance_arguments

PROMPTS = ["a photo of a cat", "an old dog, far away and small", "a photo of a cat"]
FAMILIES = {"sd1": save_tiny_generator, **BUILDERS}


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory):
    return {name: load(build(tmp_path_factory.mktemp(name))) for name, build in FAMILIES.items()}


def load(folder):
    pipeline = AutoPipelineForText2Image.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def draw(pipeline, arguments) -> np.ndarray:
    size = {"width": 16, "height": 16, "num_inference_steps": 2}
    seeds = [torch.Generator().manual_seed(seed) for seed in range(len(PROMPTS))]
    return pipeline(**size, **arguments, generator=seeds, output_type="np").images


def count_calls(module, monkeypatch) -> list:
    calls = []
    forward = module.forward
    monkeypatch.setattr(module, "forward", lambda *a, **k: calls.append(1) or forward(*a, **k))
    return calls


@pytest.mark.parametrize("negative", ["blurry, small", ""])
@pytest.mark.parametrize("family", FAMILIES)
def test_embeddings_draw_what_the_text_draws(pipelines, family, negative):
    pipeline = pipelines[family]
    arguments = Conditioning("cpu").arguments(pipeline, PROMPTS, negative, 3.0)
    assert "prompt" not in arguments
    text = {"prompt": PROMPTS} | guidance_arguments(pipeline, 3.0)
    if family != "flux_dev":  # distilled: there is no negative prediction
        # nothing said is None to the XL model, whose empty prompt is zeros, unlike the empty sentence
        text["negative_prompt"] = [negative] * 3 if negative or family != "sdxl" else None
    np.testing.assert_allclose(draw(pipeline, arguments), draw(pipeline, text), atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_sentence_is_encoded_once_and_no_negative_one_without_guidance(pipelines, family, monkeypatch):
    pipeline, conditioning = pipelines[family], Conditioning("cpu")
    calls = count_calls(pipeline.text_encoder, monkeypatch)
    unguided = conditioning.arguments(pipeline, PROMPTS, "blurry", 1.0)
    assert not any(name.startswith("negative") for name in unguided)
    assert len(calls) == 2
    guided = conditioning.arguments(pipeline, PROMPTS, "blurry", 2.0)
    conditioning.arguments(pipeline, PROMPTS[::-1], "blurry", 3.0)
    assert len(calls) == (2 if family == "flux_dev" else 3)
    draw(pipeline, guided)
    assert len(calls) == (2 if family == "flux_dev" else 3)
    assert any(name.startswith("negative") for name in guided) == (family != "flux_dev")


def test_what_was_not_asked_for_lately_makes_room(pipelines, monkeypatch):
    pipeline = pipelines["sd1"]
    bytes_each = pipeline.encode_prompt("a", "cpu", 1, False)[0].nbytes
    conditioning = Conditioning("cpu", max_bytes=2 * bytes_each)
    calls = count_calls(pipeline.text_encoder, monkeypatch)
    for prompts, encoded in (["a", "b"], 2), (["a"], 2), (["c"], 3), (["a"], 3), (["b"], 4), (["c", "a", "b", "d"], 8):
        conditioning.arguments(pipeline, prompts, "", 1.0)
        assert len(calls) == encoded


def test_an_unknown_family_is_given_the_text(pipelines, monkeypatch):
    monkeypatch.setattr("diffaug_pipeline.synthesis.conditioning.ENCODERS", {})
    conditioning, pipeline = Conditioning("cpu"), pipelines["sd1"]
    assert conditioning.arguments(pipeline, PROMPTS, "blurry", 2.0) == {
        "prompt": PROMPTS,
        "negative_prompt": ["blurry"] * 3,
        "guidance_scale": 2.0,
    }
    assert conditioning.arguments(pipeline, PROMPTS, "blurry", 1.0) == {"prompt": PROMPTS, "guidance_scale": 1.0}
    assert "negative_prompt" not in conditioning.arguments(pipelines["flux_dev"], PROMPTS, "blurry", 2.0)


@pytest.mark.parametrize(
    ("family", "argument", "off"),
    [
        ("sd1", "guidance_scale", 1),
        ("sdxl", "guidance_scale", 1),
        ("flux", "true_cfg_scale", 1),
        ("flux_dev", "guidance_scale", 1),
        ("z_image", "guidance_scale", 0),
    ],
)
def test_a_guidance_of_one_is_none_in_every_family(pipelines, family, argument, off):
    assert guidance_arguments(pipelines[family], 1.0) == {argument: off}
    assert guidance_arguments(pipelines[family], 4.5) == {argument: off + 3.5}
