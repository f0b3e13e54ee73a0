"""The pretraining pipeline in miniature, on a made-up Fashion-MNIST: its folders load by name and can be shipped."""

import json

import pytest
import torch
from diffusers import AutoencoderKL, AutoPipelineForText2Image
from factories import write_fashion_mnist
from transformers import CLIPModel, CLIPProcessor

from diffaug_pipeline.formats.parquet import list_parquet

pytestmark = pytest.mark.slow
RUN = "tiny"


def test_models_of_a_tiny_pretraining_load_by_name(tmp_path, kedro_run):
    source = write_fashion_mnist(tmp_path / "idx", 40)
    params = (f"pretraining.pool.folder={source}", f"pretraining.pool.download_folder={tmp_path / 'raw'}")
    kedro_run(tmp_path / "data", "--pipelines", "pretraining", "--run-id", RUN, params=params)
    models = tmp_path / "data" / "07_models" / "pretraining"
    folders = {name: models / name / RUN / name for name in ("autoencoder", "clip", "generator", "embedded")}
    assert AutoencoderKL.from_pretrained(folders["autoencoder"]).config.latent_channels == 4
    CLIPModel.from_pretrained(folders["clip"])
    CLIPProcessor.from_pretrained(folders["clip"])
    packed = AutoPipelineForText2Image.from_pretrained(folders["embedded"] / "generator", dtype=torch.float32)
    made = packed("a dark bag", num_inference_steps=2, guidance_scale=2.0).images[0]
    assert made.size == (32, 32)
    assert len(list_parquet(folders["embedded"] / "fashion_few_shot", 10).candidates) == 120
    card = (folders["embedded"] / "generator" / "README.md").read_text()
    quality = json.loads(
        (tmp_path / "data" / "08_reporting" / "pretraining" / "quality.json" / RUN / "quality.json").read_text()
    )
    assert f"{quality['reconstruction_mse']:.4f}" in card
    for folder in folders.values():
        assert not (folder / "training_state.safetensors").exists()
