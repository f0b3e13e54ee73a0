import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import httpx2
import huggingface_hub
import pytest
from diffusers import StableDiffusionInpaintPipeline, StableDiffusionPipeline, UNet2DConditionModel
from factories import generator_preset, real_image_set, synthesis_options
from generator_models import save_tiny_lora
from huggingface_hub import constants, errors

from diffaug_pipeline.errors import DiskSpaceError, HubError, HubUnreachableError, ModelFolderError, ParameterError
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.prompts.plan import plan_synthesis
from diffaug_pipeline.synthesis.checks import check_generator, check_mode, check_model, files_to_load
from diffaug_pipeline.synthesis.models import model_revision

COMMIT = "0123456789abcdef" * 2 + "01234567"
GB = 10**9


@pytest.fixture
def folder(tiny_generator, tmp_path) -> Path:
    return shutil.copytree(tiny_generator, tmp_path / "model")


def test_a_whole_pipeline_passes_in_every_mode(tiny_generator):
    for mode in ("text_to_image", "image_to_image", "inpainting"):
        check_generator(generator_preset(str(tiny_generator)), mode)


def test_a_model_of_transformers_is_no_pipeline(tiny_clip):
    with pytest.raises(ModelFolderError, match=r"no model_index.json. Its config.json belongs to a single model"):
        check_model(str(tiny_clip), "", None)


def test_a_checkpoint_in_one_file_is_no_pipeline(folder):
    single = folder / "unet" / "diffusion_pytorch_model.safetensors"
    shutil.copy(single, folder / "v1-5.safetensors")
    (folder / "model_index.json").unlink()
    with pytest.raises(
        ModelFolderError, match="checkpoint in a single file; load that with diffusers' from_single_file"
    ):
        check_model(str(folder), "", None)


def test_a_folder_of_another_kind_is_no_pipeline(folder):
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "cat.png").write_bytes(b"")
    with pytest.raises(ModelFolderError, match=r"no model_index.json. Name the folder that save_pretrained wrote"):
        check_model(str(folder), "", None)


def test_an_index_that_names_no_pipeline_is_refused(folder):
    (folder / "model_index.json").write_text(json.dumps({"unet": ["diffusers", "UNet2DConditionModel"]}))
    with pytest.raises(ModelFolderError, match="names no pipeline class; save it with save_pretrained"):
        check_mode(str(folder), "", "text_to_image")


@pytest.mark.parametrize("suffix", [".bin", ".ckpt", ".pt"])
def test_weights_only_as_pickles_are_refused(folder, suffix):
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(suffix))
    with pytest.raises(ModelFolderError, match=rf"the unet of .* only as \{suffix}: pickles, which can run code"):
        check_model(str(folder), "", None)


@pytest.mark.parametrize("size", [0, 4, 100, 2_000])
def test_damaged_weights_are_refused(folder, size):
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    content = weights.read_bytes()
    assert len(content) > size
    weights.write_bytes(content[:size])
    with pytest.raises(ModelFolderError, match=r"diffusion_pytorch_model.safetensors is damaged .*; copy or download"):
        check_model(str(folder), "", None)


def test_a_damaged_adapter_is_refused(tiny_generator, tmp_path):
    file = save_tiny_lora(tmp_path, tiny_generator) / "pytorch_lora_weights.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    adapter = {"model": str(file), "revision": None, "weight_name": None, "scale": 1.0}
    with pytest.raises(ModelFolderError, match=r"pytorch_lora_weights.safetensors is damaged"):
        check_generator(generator_preset(str(tiny_generator), adapters=[adapter]), "text_to_image")


def test_a_model_made_for_inpainting_draws_nothing_else(tiny_generator, tmp_path):
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_generator)
    for channels, modes in ((9, ["inpainting"]), (4, ["text_to_image", "image_to_image", "inpainting"])):
        pipeline.register_modules(unet=UNet2DConditionModel.from_config(pipeline.unet.config, in_channels=channels))
        saved = tmp_path / str(channels)
        StableDiffusionInpaintPipeline(**pipeline.components, requires_safety_checker=False).save_pretrained(saved)
        for mode in ("text_to_image", "image_to_image", "inpainting"):
            if mode in modes:
                check_mode(str(saved), "", mode)
            else:
                with pytest.raises(ParameterError, match="made for inpainting alone"):
                    check_mode(str(saved), "", mode)


def test_a_family_without_strength_is_refused_when_the_plan_is_made(folder, tmp_path):
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": "Flux2KleinPipeline"}))
    vocabulary = {"templates": ["a {class_name}"], "axes": {}, "negative_prompt": ""}
    with pytest.raises(ParameterError, match="take no strength, which image_to_image is planned with"):
        plan_synthesis(
            real_image_set(tmp_path, {"train": 1}),
            PromptOptions(vocabulary=None, wording={}),
            synthesis_options(mode="image_to_image"),
            generator_preset(str(folder)),
            Vocabularies({"plain": vocabulary}),
        )


def test_a_size_that_the_model_would_not_draw_is_refused(folder):
    index = json.loads((folder / "model_index.json").read_text())
    sizes = {"width_px": 24, "height_px": 16}
    check_generator(generator_preset(str(folder), **sizes), "text_to_image")
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": "FluxPipeline"}))
    check_generator(generator_preset(str(folder)), "text_to_image")
    with pytest.raises(ParameterError, match="sides are multiples of 16 pixels, not 24 x 16; set width_px"):
        check_generator(generator_preset(str(folder), **sizes), "text_to_image")


REPOSITORY = {
    "README.md": 1,
    "model_index.json": 1,
    "v1-5-pruned.safetensors": 7 * GB,
    "scheduler/scheduler_config.json": 1,
    "text_encoder/config.json": 1,
    "text_encoder/model.safetensors": 5 * GB,
    "text_encoder/model.fp16.safetensors": 2 * GB,
    "unet/config.json": 1,
    "unet/diffusion_pytorch_model.bin": 9 * GB,
    "unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors": GB,
    "unet/diffusion_pytorch_model.fp16-00002-of-00002.safetensors": GB,
    "unet/diffusion_pytorch_model-00001-of-00002.safetensors": 2 * GB,
    "unet/diffusion_pytorch_model-00002-of-00002.safetensors": 2 * GB,
    "unet/diffusion_pytorch_model.non_ema.safetensors": 4 * GB,
    "vae/diffusion_pytorch_model.safetensors": GB,
}
INDEX = {"_class_name": "StableDiffusionPipeline"} | dict.fromkeys(("scheduler", "text_encoder", "unet", "vae"))


@pytest.mark.parametrize(("variant", "gigabytes"), [(None, 10), ("fp16", 5)])
def test_only_what_diffusers_downloads_counts(variant, gigabytes):
    files = files_to_load(REPOSITORY, {name for name in INDEX if name[0] != "_"}, variant)
    assert sum(REPOSITORY[name] for name in files) // GB == gigabytes
    assert {"scheduler/scheduler_config.json", "unet/config.json"} < set(files)


class Hub:
    """A repository behind the functions of huggingface_hub that are called."""

    def __init__(self, monkeypatch, cache: Path, files: dict[str, int]):
        self.snapshot = cache / "models--someone--painter" / "snapshots" / COMMIT
        self.snapshot.mkdir(parents=True)
        (self.snapshot / "model_index.json").write_text(json.dumps(INDEX))
        siblings = [SimpleNamespace(rfilename=name, size=size) for name, size in files.items()]
        self.info = SimpleNamespace(sha=COMMIT, siblings=siblings)
        self.raises: Exception | None = None
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        monkeypatch.setattr(huggingface_hub.HfApi, "model_info", self.model_info)
        model_revision.cache_clear()

    def model_info(self, *args, **kwargs):
        if self.raises is not None:
            raise self.raises
        return self.info


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "hub"


def leave_free(gigabytes: float, monkeypatch) -> None:
    usage = SimpleNamespace(free=int(gigabytes * GB))
    monkeypatch.setattr("diffaug_pipeline.synthesis.checks.shutil.disk_usage", lambda path: usage)


def test_too_little_disk_is_told_before_anything_is_downloaded(cache, monkeypatch):
    hub = Hub(monkeypatch, cache, REPOSITORY)
    preset = generator_preset("someone/painter")
    leave_free(9.9, monkeypatch)
    with pytest.raises(
        DiskSpaceError, match=r"someone/painter takes 10.0 GB to download, and .* has 9.9 GB free; make"
    ):
        check_generator(preset, "text_to_image")
    check_generator(generator_preset("someone/painter", variant="fp16"), "text_to_image")
    (hub.snapshot / "text_encoder").mkdir()
    (hub.snapshot / "text_encoder" / "model.safetensors").write_bytes(b"downloaded before")
    check_generator(preset, "text_to_image")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["config.json", "model.safetensors"], "someone/painter is no diffusers pipeline: it has no model_index.json"),
        (["model_index.json", "unet/diffusion_pytorch_model.bin"], r"the unet of someone/painter .* only as \.bin"),
    ],
)
def test_what_a_repository_is_not_is_told_before_anything_is_downloaded(files, message, cache, monkeypatch):
    Hub(monkeypatch, cache, dict.fromkeys(files, 1))
    with pytest.raises(ModelFolderError, match=message):
        check_generator(generator_preset("someone/painter"), "text_to_image")


def test_a_pinned_commit_that_does_not_exist_is_told_when_the_plan_is_made(cache, monkeypatch):
    hub = Hub(monkeypatch, cache, REPOSITORY)
    answer = httpx2.Response(404, request=httpx2.Request("GET", "https://hub.test/api/models/someone/painter"))
    hub.raises = errors.RevisionNotFoundError("404", response=answer)
    with pytest.raises(HubError, match=f"someone/painter has no revision {COMMIT}"):
        check_generator(generator_preset("someone/painter", revision=COMMIT), "text_to_image")


def test_out_of_reach_of_the_hub_a_cached_model_passes_and_another_does_not(cache, monkeypatch):
    hub = Hub(monkeypatch, cache, REPOSITORY)
    hub.raises = errors.OfflineModeIsEnabled("offline")
    check_generator(generator_preset("someone/painter"), "inpainting")
    with pytest.raises(HubUnreachableError, match="cannot be reached for the model someone/sculptor"):
        check_generator(generator_preset("someone/sculptor"), "inpainting")
