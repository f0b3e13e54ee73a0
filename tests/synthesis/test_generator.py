"""Synthesis against a plain diffusers loop, with the real classes at tiny size."""

import io
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from factories import generator_preset, real_image_set, synthesis_options
from PIL import Image

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.imaging.preparation import fit_image
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.prompts.plan import plan_synthesis
from diffaug_pipeline.synthesis.generator import Generator, inpainting_mask
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions
from diffaug_pipeline.synthesis.schedulers import model_evaluations
from diffaug_pipeline.synthesis.synthesize import synthesize

VOCABULARIES = Vocabularies(
    {
        "plain": {
            "templates": ["a photo of a {class_name}", "a {class_name}, ⻝ unknown words"],
            "axes": {},
            "negative_prompt": "blurry",
        }
    }
)


def preset_of(folder, **changes) -> GeneratorPreset:
    return generator_preset(str(folder), **{"scheduler": "dpmpp_2m", "num_inference_steps": 4} | changes)


def options_of(**changes) -> SynthesisOptions:
    return synthesis_options(**{"images_per_class": 3} | changes)


def setup(folder, real, **changes) -> tuple[Generator, pd.DataFrame]:
    preset, options = preset_of(folder), options_of(**changes)
    plan = plan_synthesis(real, PromptOptions(vocabulary=None, wording={}), options, preset, VOCABULARIES)
    return Generator(preset, options, real, revision=plan["model_revision"].iloc[0]), plan


def setup_inpainting(folder, real, **changes) -> tuple[Generator, pd.DataFrame]:
    """Four rows, as a label strategy would have them, with a region and a mask each."""
    generator, plan = setup(folder, real, mode="image_to_image", **changes)
    regions = [[0, 0, 32, 32], [4, 0, 30, 26], [0, 8, 10, 30], [1, 1, 32, 20]]
    masks = [[[2.0, 2, 7, 9]], [[0.0, 0, 4, 4], [9.5, 3, 16, 12]], [], [[-3.0, 5, 8, 20]]]
    kinds = ["redraw", "keep", "keep", "redraw"]
    rows = plan.iloc[:4].assign(mode="inpainting", region_xyxy=regions, mask_xyxy=masks, mask_kind=kinds)
    return generator, rows


def pixels(made) -> np.ndarray:
    return np.stack([np.asarray(Image.open(io.BytesIO(image.content)), dtype=int) for image in made])


@pytest.fixture
def real(tmp_path):
    return real_image_set(tmp_path, {"train": 2, "test": 1})


def loop_scheduler(pipeline) -> DPMSolverMultistepScheduler:
    return DPMSolverMultistepScheduler.from_config(
        pipeline.scheduler.config, algorithm_type="dpmsolver++", timestep_spacing="trailing"
    )


def test_text_to_image_equals_a_plain_loop(tiny_generator, real):
    generator, plan = setup(tiny_generator, real)
    ours = pixels(generator.make_images(plan))
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_generator, dtype=torch.float32)
    pipeline.scheduler = loop_scheduler(pipeline)
    theirs = pipeline(
        plan["prompt"].tolist(),
        negative_prompt=["blurry"] * len(plan),
        num_inference_steps=4,
        guidance_scale=2.0,
        generator=[torch.Generator().manual_seed(seed) for seed in plan["seed"]],
        height=16,
        width=16,
    ).images
    assert np.abs(ours - np.stack([np.asarray(image, dtype=int) for image in theirs])).max() <= 1
    assert ours.std() > 1


def test_image_to_image_equals_a_plain_loop(tiny_generator, real):
    generator, plan = setup(tiny_generator, real, mode="image_to_image")
    ours = pixels(generator.make_images(plan))
    pipeline = StableDiffusionImg2ImgPipeline.from_pretrained(tiny_generator, dtype=torch.float32)
    pipeline.scheduler = loop_scheduler(pipeline)
    theirs = pipeline(
        plan["prompt"].tolist(),
        negative_prompt=["blurry"] * len(plan),
        image=[real.read(source).resize((16, 16), Image.Resampling.LANCZOS) for source in plan["source_image_id"]],
        strength=0.5,
        num_inference_steps=4,
        guidance_scale=2.0,
        generator=[torch.Generator().manual_seed(seed) for seed in plan["seed"]],
    ).images
    assert np.abs(ours - np.stack([np.asarray(image, dtype=int) for image in theirs])).max() <= 1


def mask_of(row) -> Image.Image:
    """White where the picture is drawn anew, in cells of two pixels, drawn pixel by pixel."""
    inside = np.zeros((16, 16), bool)
    for y, x in np.ndindex(16, 16):
        cell = x // 2 * 2, y // 2 * 2
        for left, top, right, bottom in row.mask_xyxy:
            inside[y, x] |= cell[0] < right and left < cell[0] + 2 and cell[1] < bottom and top < cell[1] + 2
    return Image.fromarray(np.where(inside == (row.mask_kind == "redraw"), 255, 0).astype(np.uint8))


def test_inpainting_equals_a_plain_loop(tiny_generator, real):
    generator, rows = setup_inpainting(tiny_generator, real)
    ours = pixels(generator.make_images(rows))
    pipeline = StableDiffusionInpaintPipeline.from_pretrained(tiny_generator, dtype=torch.float32)
    pipeline.scheduler = loop_scheduler(pipeline)
    theirs = pipeline(
        rows["prompt"].tolist(),
        negative_prompt=["blurry"] * len(rows),
        image=[
            fit_image(real.read(row.source_image_id).crop(row.region_xyxy), (16, 16), "cover").image
            for row in rows.itertuples()
        ],
        mask_image=[mask_of(row) for row in rows.itertuples()],
        strength=0.5,
        num_inference_steps=4,
        guidance_scale=2.0,
        generator=[torch.Generator().manual_seed(seed) for seed in rows["seed"]],
        height=16,
        width=16,
    ).images
    assert np.abs(ours - np.stack([np.asarray(image, dtype=int) for image in theirs])).max() <= 1
    assert ours.std() > 1


def test_inpainted_images_do_not_depend_on_their_batch(tiny_generator, real):
    generator, rows = setup_inpainting(tiny_generator, real)
    four = generator.make_images(rows)
    twos = generator.make_images(rows.iloc[[2, 0]]) + generator.make_images(rows.iloc[[3, 1]])
    assert [twos[1], twos[3], twos[0], twos[2]] == four
    alone = np.concatenate([pixels(generator.make_images(rows.iloc[[row]])) for row in range(len(rows))])
    assert np.abs(alone - pixels(four)).max() <= 1
    fresh, _ = setup_inpainting(tiny_generator, real)
    assert fresh.make_images(rows) == four


def test_what_is_kept_keeps_its_latents(tiny_generator, real):
    generator, rows = setup_inpainting(tiny_generator, real)
    latents = []
    decode = generator.inpainting.vae.decode
    generator.inpainting.vae.decode = lambda z, *a, **k: latents.append(z) or decode(z, *a, **k)
    pair = rows.iloc[[1, 1]].reset_index(drop=True)
    for seeds in ([1, 2], [3, 4]):
        generator.make_images(pair.assign(seed=seeds))
    kept = np.asarray(mask_of(rows.iloc[1]))[::2, ::2] == 0
    first, second = (latent[0].numpy() for latent in latents)
    assert 0 < kept.sum() < kept.size
    # the encoder's latents are a random sample, so those kept are not the same either
    assert np.abs(first - second)[:, ~kept].mean() > 3 * np.abs(first - second)[:, kept].mean()


def test_an_inpainting_model_with_nine_channels_works_as_well(tiny_generator, real, tmp_path):
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_generator, dtype=torch.float32)
    torch.manual_seed(0)
    pipeline.register_modules(unet=UNet2DConditionModel.from_config(pipeline.unet.config, in_channels=9))
    StableDiffusionInpaintPipeline(**pipeline.components, requires_safety_checker=False).save_pretrained(tmp_path / "m")
    _, rows = setup_inpainting(tiny_generator, real)
    generator = Generator(preset_of(tmp_path / "m"), options_of(), real, revision="")
    assert pixels(generator.make_images(rows)).std() > 1


@pytest.mark.parametrize(
    ("kind", "xyxy", "drawn"),
    [
        ("redraw", [[3, 3, 5, 5]], 4 * 4),  # half cells on every side
        ("keep", [[3, 3, 5, 5]], 8 * 8 - 4 * 4),
        ("redraw", [[2, 2, 4, 4]], 2 * 2),
        ("redraw", [[-5, -5, 3, 99]], 4 * 8),  # beyond the frame
        ("keep", [[-9, -9, -1, -1], [8, 8, 12, 12]], 8 * 8),  # outside it
        ("keep", [], 8 * 8),
        ("redraw", [], 0),
    ],
)
def test_masks_cover_whole_cells_of_the_latent_grid(kind, xyxy, drawn):
    mask = np.asarray(inpainting_mask(np.array(xyxy, float).reshape(-1, 4), kind, (8, 8), 2))
    assert (mask == 255).sum() == drawn
    assert (mask[::2, ::2].repeat(2, 0).repeat(2, 1) == mask).all()


def test_the_same_rows_give_the_same_bytes_whatever_was_made_before(tiny_generator, real):
    generator, plan = setup(tiny_generator, real)
    first = generator.make_images(plan.iloc[:4])
    generator.make_images(plan.iloc[2:5])
    assert generator.make_images(plan.iloc[:4]) == first
    fresh, _ = setup(tiny_generator, real)
    assert fresh.make_images(plan.iloc[:4]) == first


def test_an_image_hardly_depends_on_its_batch(tiny_generator, real):
    generator, plan = setup(tiny_generator, real)
    together = pixels(generator.make_images(plan))
    alone = np.concatenate([pixels(generator.make_images(plan.iloc[[row]])) for row in range(len(plan))])
    assert np.abs(together - alone).max() <= 1


def test_seeds_make_different_images(tiny_generator, real):
    generator, plan = setup(tiny_generator, real)
    assert len({image.content for image in generator.make_images(plan)}) == len(plan)


def test_guidance_of_one_needs_no_negative_prompt(tiny_generator, real):
    generator, plan = setup(tiny_generator, real, guidance_scale=1.0)
    assert len(generator.make_images(plan)) == len(plan)


def test_each_sentence_is_encoded_once(tiny_generator, real, monkeypatch):
    generator, plan = setup(tiny_generator, real, images_per_class=6)
    calls = []
    encode = generator.text_to_image.encode_prompt
    monkeypatch.setattr(generator.text_to_image, "encode_prompt", lambda *a, **k: calls.append(a[0]) or encode(*a, **k))
    generator.make_images(plan)
    generator.make_images(plan)
    sentences = [sentence for sentence in calls if sentence is not None]
    assert sorted(sentences) == sorted({*plan["prompt"], "blurry"})


@pytest.mark.parametrize(
    ("preset_changes", "changes", "message"),
    [
        ({}, {"dtype": "bfloat16"}, "made for dtype float32, the parameters say bfloat16"),
        ({}, {"fit": "contain"}, "made for fit cover, the parameters say contain"),
        ({"variant": "fp16"}, {}, "made for variant None, the parameters say fp16"),
    ],
)
def test_a_plan_made_for_other_options_is_refused(tiny_generator, real, preset_changes, changes, message):
    _, plan = setup(tiny_generator, real)
    assert len(synthesize(plan, real, options_of(), preset_of(tiny_generator)).plan) == len(plan)
    with pytest.raises(VersionError, match=message):
        synthesize(plan, real, options_of(**changes), preset_of(tiny_generator, **preset_changes))


def test_a_plan_made_with_other_weights_is_refused(tiny_generator, real):
    _, plan = setup(tiny_generator, real)
    with pytest.raises(VersionError, match="made for model_revision other"):
        synthesize(plan.assign(model_revision="other"), real, options_of(), preset_of(tiny_generator))


@pytest.mark.parametrize("scheduler", ["ddim", "heun", "pndm", "kdpm2_ancestral"])
@pytest.mark.parametrize("mode", ["text_to_image", "image_to_image", "inpainting"])
def test_every_call_of_the_denoiser_is_told(tiny_generator, real, scheduler, mode):
    prepare = setup_inpainting if mode == "inpainting" else partial(setup, mode=mode)
    generator, rows = prepare(tiny_generator, real, scheduler=scheduler)
    told, calls = [], []
    hook = generator.text_to_image.unet.register_forward_hook(lambda *_: calls.append(1))
    made = generator.make_images(rows.iloc[:2], lambda: told.append(1))
    hook.remove()
    assert len(told) == len(calls) == model_evaluations(scheduler, 4, None if mode == "text_to_image" else 0.5)
    assert generator.make_images(rows.iloc[:2]) == made


def test_drawing_that_is_ended_leaves_the_model_ready(tiny_generator, real):
    generator, plan = setup(tiny_generator, real)
    before = generator.make_images(plan)
    told = []

    def end_at_the_second() -> None:
        told.append(1)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generator.make_images(plan, end_at_the_second)
    assert len(told) == 2
    assert generator.make_images(plan) == before


def test_one_loaded_model_starts_from_other_sources(tiny_generator, real, tmp_path):
    others = real_image_set(tmp_path / "others", {"train": 4, "test": 1})
    generator, _ = setup(tiny_generator, real)
    expected, plan = setup(tiny_generator, others, mode="image_to_image")
    _ = generator.text_to_image
    other = generator.with_sources(others)
    assert other.make_images(plan) == expected.make_images(plan)
    assert other.text_to_image is generator.text_to_image
