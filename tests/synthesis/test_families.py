"""Families of models, of the real classes at tiny size, against plain diffusers called with the text of each prompt."""

import numpy as np
import pandas as pd
import pytest
import torch
from diffusers import (
    AutoPipelineForImage2Image,
    AutoPipelineForInpainting,
    AutoPipelineForText2Image,
    DDIMScheduler,
    DiffusionPipeline,
    FlowMatchEulerDiscreteScheduler,
)
from factories import generator_preset, real_image_set, synthesis_options
from generator_models import BUILDERS
from models import save_tiny_generator

from diffaug_pipeline.errors import BatchTooLargeError, ParameterError
from diffaug_pipeline.imaging.preparation import fit_image
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.prompts.plan import plan_synthesis
from diffaug_pipeline.synthesis.checks import IN_ALL_MODES
from diffaug_pipeline.synthesis.families import CLASSES, family_of, pipeline_class
from diffaug_pipeline.synthesis.generator import Generator, inpainting_mask
from diffaug_pipeline.synthesis.options import Mode

FAMILIES = {"sd1": save_tiny_generator, **BUILDERS}
FLOW_MATCHING = ("sd3", "flux", "flux_dev", "z_image")
AUTO_CLASSES = {
    "text_to_image": AutoPipelineForText2Image,
    "image_to_image": AutoPipelineForImage2Image,
    "inpainting": AutoPipelineForInpainting,
}
GUIDED = {"negative_prompt": "blurry", "guidance_scale": 2.0}
PLAIN_GUIDANCE = {
    "flux": {"negative_prompt": "blurry", "true_cfg_scale": 2.0},
    "flux_dev": {"guidance_scale": 2.0},
    "z_image": {"negative_prompt": "blurry", "guidance_scale": 1.0},
}
"""A guidance of 2 in the terms of families that count otherwise than Stable Diffusion does."""
REGION, MASK = [4, 0, 30, 26], [2.0, 2.0, 8.0, 10.0]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {name: build(tmp_path_factory.mktemp(name)) for name, build in FAMILIES.items()}


@pytest.fixture
def real(tmp_path):
    return real_image_set(tmp_path, {"train": 2})


def plan_of(folder, family: str, mode: Mode, real, dtype: str = "float32") -> tuple[Generator, pd.DataFrame]:
    """Two rows per class; inpainting also has regions and masks, as a label strategy would."""
    scheduler = "flow_match_euler" if family in FLOW_MATCHING else "ddim"
    preset = generator_preset(str(folder), scheduler=scheduler, num_inference_steps=4)
    options = synthesis_options(mode="text_to_image" if mode == "text_to_image" else "image_to_image", dtype=dtype)
    wording = {"templates": ["a photo of a {class_name}", "an old {class_name}, far"], "axes": {}}
    vocabularies = Vocabularies({"plain": wording | {"negative_prompt": "blurry"}})
    plan = plan_synthesis(real, PromptOptions(vocabulary=None, wording={}), options, preset, vocabularies)
    rows = plan.groupby("label").head(2).reset_index(drop=True)
    if mode == "inpainting":
        rows = rows.assign(
            mode=mode,
            region_xyxy=[REGION] * len(rows),
            mask_xyxy=[[MASK]] * len(rows),
            mask_kind=["redraw", "keep"] * (len(rows) // 2),
        )
    return Generator(preset, options, real, revision=""), rows


def plain_pipeline(folder, family: str, mode: Mode) -> DiffusionPipeline:
    pipeline = AUTO_CLASSES[mode].from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    if family not in FLOW_MATCHING:
        pipeline.scheduler = DDIMScheduler.from_config(
            pipeline.scheduler.config, clip_sample=False, set_alpha_to_one=False, timestep_spacing="trailing"
        )
    else:
        assert isinstance(pipeline.scheduler, FlowMatchEulerDiscreteScheduler)
    return pipeline


def plain_picture(pipeline: DiffusionPipeline, family: str, row: pd.Series, real) -> np.ndarray:
    arguments = PLAIN_GUIDANCE.get(family, GUIDED) | {"num_inference_steps": 4, "prompt": row["prompt"]}
    if row["mode"] != "text_to_image":
        source = real.read(row["source_image_id"])
        source = source.crop(REGION) if row["mode"] == "inpainting" else source
        arguments |= {"image": fit_image(source, (16, 16), "cover").image, "strength": 0.5}
    if row["mode"] == "inpainting":
        arguments["mask_image"] = inpainting_mask(np.array([MASK]), row["mask_kind"], (16, 16), 2)
    if row["mode"] != "image_to_image" or family in FLOW_MATCHING:
        arguments |= {"width": 16, "height": 16}
    made = pipeline(**arguments, generator=torch.Generator().manual_seed(int(row["seed"]))).images[0]
    return np.asarray(made, dtype=int)


@pytest.mark.parametrize("mode", AUTO_CLASSES)
@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_equal_those_of_plain_diffusers(folders, family, mode, real):
    generator, rows = plan_of(folders[family], family, mode, real)
    ours = np.stack([np.asarray(drawn.image, dtype=int) for drawn in generator.make_images(rows)])
    pipeline = plain_pipeline(folders[family], family, mode)
    theirs = np.stack([plain_picture(pipeline, family, row, real) for _, row in rows.iterrows()])
    assert ours.shape == (4, 16, 16, 3)
    assert ours.std() > 1
    assert np.abs(ours - theirs).max() <= 1


def test_a_pipeline_cut_off_while_its_autoencoder_is_in_another_precision_draws_on(folders, real):
    """SDXL's encodes in float32 and is turned back afterwards, unless memory runs out in between."""
    generator, rows = plan_of(folders["sdxl"], "sdxl", "image_to_image", real, dtype="bfloat16")
    undisturbed, _ = plan_of(folders["sdxl"], "sdxl", "image_to_image", real, dtype="bfloat16")
    wanted = [image.content for image in undisturbed.make_images(rows)]
    encoder = generator.image_to_image.vae.encoder

    def run_out(*_: object) -> None:
        full.remove()
        raise torch.OutOfMemoryError("CUDA out of memory")

    full = encoder.register_forward_pre_hook(run_out)
    with pytest.raises(BatchTooLargeError):
        generator.make_images(rows)
    assert [image.content for image in generator.make_images(rows)] == wanted


def test_an_eta_that_a_pipeline_cannot_be_told_is_refused(folders, real):
    generator, rows = plan_of(folders["sd3"], "sd3", "text_to_image", real)
    with pytest.raises(
        ParameterError, match=r"eta is 0\.5, which a StableDiffusion3Pipeline cannot be told; set it to"
    ):
        generator.make_images(rows.assign(eta=0.5))


def test_families_said_to_offer_all_modes_do():
    offered = {name: [pipeline_class(name, mode).__name__ for mode in CLASSES] for name in IN_ALL_MODES}
    assert [classes[0] for classes in offered.values()] == list(IN_ALL_MODES)
    assert all(len({*classes}) == 3 for classes in offered.values())
    assert [{*map(family_of, classes)} for classes in offered.values()] == [{family_of(name)} for name in IN_ALL_MODES]


@pytest.mark.parametrize(
    ("class_name", "mode", "message"),
    [
        ("Flux2KleinPipeline", "image_to_image", "Flux2KleinPipeline take no strength, which image_to_image is"),
        ("FluxKontextPipeline", "image_to_image", "take no strength"),
        ("QwenImageEditPipeline", "image_to_image", "take no strength"),
        (
            "QwenImageEditPipeline",
            "text_to_image",
            "offer no text_to_image in diffusers; they offer image_to_image and",
        ),
        ("SanaPipeline", "image_to_image", "offer no image_to_image in diffusers; they offer text_to_image, or choose"),
        ("FluxKontextPipeline", "inpainting", "offer no inpainting"),
        ("KandinskyV22InpaintCombinedPipeline", "inpainting", "take no strength"),
        ("StableDiffusionControlNetPipeline", "text_to_image", "want a control image beside the prompt"),
        ("MyOwnPipeline", "text_to_image", "offer no text_to_image in diffusers; choose another"),
    ],
)
def test_what_a_family_does_not_offer_is_refused(class_name, mode, message):
    with pytest.raises(ParameterError, match=message):
        pipeline_class(class_name, mode)
