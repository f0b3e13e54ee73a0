import logging
import shutil

import pytest
import torch
from diffusers import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from factories import generator_preset
from huggingface_hub import constants
from transformers import CLIPConfig, CLIPImageProcessor

from diffaug_pipeline.errors import ModelFolderError, ParameterError
from diffaug_pipeline.synthesis.loading import in_mode, load_pipeline, needs_offload


def load(folder, **changes):
    return load_pipeline(generator_preset(str(folder), **changes), "float32", "cpu", revision="")


def test_one_copy_of_the_weights_serves_all_modes(tiny_generator):
    pipeline = load(tiny_generator)
    assert in_mode(pipeline, "text_to_image") is pipeline
    for mode in ("image_to_image", "inpainting"):
        other = in_mode(pipeline, mode)
        assert type(other) is not type(pipeline)
        for part in ("unet", "vae", "text_encoder"):
            ours, theirs = getattr(other, part).parameters(), getattr(pipeline, part).parameters()
            assert all(one is another for one, another in zip(ours, theirs, strict=True))


def test_the_precision_asked_for_is_loaded(tiny_generator):
    pipeline = load_pipeline(generator_preset(str(tiny_generator)), "bfloat16", "cpu", revision="")
    assert {part.dtype for part in (pipeline.unet, pipeline.vae, pipeline.text_encoder)} == {torch.bfloat16}


def test_a_family_without_strength_is_refused(tiny_generator):
    class FluxKontextPipeline(StableDiffusionPipeline):
        pass

    with pytest.raises(ParameterError, match="take no strength"):
        in_mode(FluxKontextPipeline(**load(tiny_generator).components, requires_safety_checker=False), "image_to_image")


def test_a_safety_checker_is_switched_off_with_a_warning(tiny_generator, tmp_path, caplog):
    pipeline = load(tiny_generator)
    tower = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPConfig(vision_config=tower | {"image_size": 16, "patch_size": 8}, text_config=tower, projection_dim=8)
    components = pipeline.components | {
        "safety_checker": StableDiffusionSafetyChecker(config),
        "feature_extractor": CLIPImageProcessor(),
    }
    StableDiffusionPipeline(**components).save_pretrained(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert load(tmp_path).safety_checker is None
    assert "safety checker is off" in caplog.text


def test_the_licence_is_logged_when_images_are_to_be_made(tiny_generator, caplog):
    with caplog.at_level(logging.INFO):
        load(tiny_generator)
        load(tiny_generator, commercial_use=False, licence="sai-nc-community")
    told = [(record.levelname, record.getMessage()) for record in caplog.records if "licence" in record.getMessage()]
    assert told == [
        ("INFO", f"{tiny_generator}; licence: MIT, commercial use allowed"),
        ("WARNING", f"{tiny_generator}; licence: sai-nc-community, no commercial use"),
    ]


def test_weights_that_do_not_exist_in_a_variant_are_one_clear_error(tiny_generator):
    with pytest.raises(ModelFolderError, match=r"cannot be loaded \(ValueError: .*variant"):
        load(tiny_generator, variant="fp16")


@pytest.mark.parametrize(("weights", "free", "offload"), [(4, 5, False), (4.01, 5, True), (9, 5, True), (0, 0, False)])
def test_offload_is_for_weights_that_leave_no_quarter_of_themselves_free(weights, free, offload):
    assert needs_offload(int(weights * (1 << 30)), free << 30) == offload


def test_offload_is_chosen_by_the_free_memory_of_the_accelerator(tiny_generator, monkeypatch):
    placed = []
    monkeypatch.setattr(StableDiffusionPipeline, "to", lambda pipeline, device: placed.append(device) or pipeline)
    monkeypatch.setattr(
        StableDiffusionPipeline,
        "enable_model_cpu_offload",
        lambda pipeline, device: placed.append(f"by turns {device}"),
    )
    for free in (1 << 30, 1 << 10):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device, free=free: (free, 1 << 30))
        load_pipeline(generator_preset(str(tiny_generator)), "float32", "cuda:1", revision="")
    assert placed == ["cuda:1", "by turns cuda:1"]


@pytest.mark.filterwarnings("ignore:The `local_dir_use_symlinks`")  # diffusers still passes it to huggingface_hub
def test_a_hub_model_in_the_cache_loads_without_the_hub(tiny_generator, tmp_path, monkeypatch):
    commit = "0123456789abcdef" * 2 + "01234567"
    shutil.copytree(tiny_generator, tmp_path / "models--someone--painter" / "snapshots" / commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    preset = generator_preset("someone/painter")
    assert load_pipeline(preset, "float32", "cpu", revision=commit).unet.config.sample_size == 8
    with pytest.raises(ModelFolderError, match="someone/painter cannot be loaded"):
        load_pipeline(preset, "float32", "cpu", revision=commit[::-1])
