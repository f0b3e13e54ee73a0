"""Schedulers against diffusers' own pipelines, and against a distribution whose exact denoiser is known."""

import inspect
import json
from pathlib import Path
from typing import get_args

import diffusers
import numpy as np
import pytest
import torch
from diffusers import AutoPipelineForImage2Image, AutoPipelineForText2Image
from factories import generator_preset, real_image_set, synthesis_options
from generator_models import save_tiny_sd3
from PIL import Image

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.prompts.plan import plan_synthesis
from diffaug_pipeline.synthesis.generator import Generator
from diffaug_pipeline.synthesis.schedulers import (
    DIFFUSION,
    FLOW,
    SOLVERS,
    TimestepSpacing,
    build_scheduler,
    check_scheduler,
    model_evaluations,
    prediction_of,
)

DIFFUSION_NAMES = [name for name, solver in SOLVERS.items() if solver.predictions != FLOW]
FLOW_NAMES = [name for name, solver in SOLVERS.items() if solver.predictions == FLOW]
DISTILLED = ("lcm", "tcd", "flow_match_lcm")
"""For models trained to jump to the end: with an exact denoiser they reach its mean, not its distribution."""
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
CONFIG = {**BETAS, "num_train_timesteps": 1000, "steps_offset": 1, "prediction_type": "epsilon"}
FLOW_CONFIG = {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 3.0}
SOURCE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 16, 3), dtype=np.uint8))
MEAN, DEVIATION = 1.5, 0.5
"""Of the normal distribution that the exact denoiser knows."""


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draws_noise(scheduler) -> dict[str, torch.Generator]:
    return {"generator": seeded(1)} if "generator" in inspect.signature(scheduler.step).parameters else {}


def alpha_sigma(timestep: float) -> tuple[float, float]:
    """Share of signal and noise at a timestep, between those trained at by the logarithm of their ratio."""
    kept = np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)
    ratio = np.exp(np.interp(float(timestep), np.arange(1000), 0.5 * np.log((1 - kept) / kept)))
    return 1 / np.sqrt(1 + ratio**2), ratio / np.sqrt(1 + ratio**2)


def exact_prediction(noised: torch.Tensor, timestep: float, prediction: str) -> torch.Tensor:
    """What a perfect model of N(MEAN, DEVIATION^2) says."""
    alpha, sigma = (1 - timestep / 1000, timestep / 1000) if prediction == "flow" else alpha_sigma(timestep)
    noise = sigma * (noised - alpha * MEAN) / (alpha**2 * DEVIATION**2 + sigma**2)
    sample = MEAN + alpha * DEVIATION**2 * (noised - alpha * MEAN) / (alpha**2 * DEVIATION**2 + sigma**2)
    return {
        "epsilon": noise,
        "v_prediction": alpha * noise - sigma * sample,
        "sample": sample,
        "flow": noise - sample,
    }[prediction]


def sample_exactly(name: str, config: dict, steps: int, spacing: str | None = None) -> torch.Tensor:
    scheduler = build_scheduler(name, config, steps, spacing)
    scheduler.set_timesteps(steps)
    latents = torch.randn(1, 1, 32, 32, generator=seeded(0), dtype=torch.float64)
    is_flow = prediction_of(config) == "flow"
    noise, latents = draws_noise(scheduler), latents if is_flow else latents * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        seen = latents if is_flow else scheduler.scale_model_input(latents, timestep)
        predicted = exact_prediction(seen, timestep, prediction_of(config))
        latents = scheduler.step(predicted, timestep, latents, **noise).prev_sample
    return latents


def counted(pipeline, denoiser: torch.nn.Module) -> list[int]:
    pipeline.set_progress_bar_config(disable=True)
    calls: list[int] = []
    denoiser.register_forward_pre_hook(lambda *_: calls.append(1))
    return calls


def both_modes(folder: Path):
    """Pipelines for both modes on one denoiser, the config of its scheduler, and a list that grows with each call."""
    drawing = AutoPipelineForText2Image.from_pretrained(folder, dtype=torch.float32)
    changing = AutoPipelineForImage2Image.from_pipe(drawing)
    for pipeline in (drawing, changing):
        pipeline.set_progress_bar_config(disable=True)
    calls: list[int] = []
    denoiser = getattr(drawing, "unet", None) or drawing.transformer
    denoiser.register_forward_pre_hook(lambda *_: calls.append(1))
    return drawing, changing, dict(drawing.scheduler.config), calls


@pytest.fixture(scope="module")
def stable_diffusion(tiny_generator):
    return both_modes(tiny_generator)


@pytest.fixture(scope="module")
def flow_model(tmp_path_factory):
    return both_modes(save_tiny_sd3(tmp_path_factory.mktemp("flow")))


def count_calls(pipelines, name: str, steps: int, strength: float | None) -> tuple[int, np.ndarray]:
    drawing, changing, config, calls = pipelines
    calls.clear()
    pipeline = drawing if strength is None else changing
    pipeline.scheduler = build_scheduler(name, config, steps)
    where = {"width": 16, "height": 16} if strength is None else {"image": SOURCE, "strength": strength}
    image = pipeline(
        "a bag", num_inference_steps=steps, guidance_scale=1.0, generator=seeded(0), output_type="np", **where
    ).images[0]
    return len(calls), image


STEPS_AND_STRENGTHS = [(1, None), (2, None), (7, None), (1, 1.0), (4, 0.25), (7, 0.5), (10, 0.29), (10, 0.7)]


@pytest.mark.parametrize(
    ("model", "name"),
    [*(("stable_diffusion", name) for name in DIFFUSION_NAMES), *(("flow_model", name) for name in FLOW_NAMES)],
)
def test_evaluations_are_the_calls_of_the_denoiser(request, model, name):
    pipelines = request.getfixturevalue(model)
    for steps, strength in STEPS_AND_STRENGTHS:
        calls, image = count_calls(pipelines, name, steps, strength)
        assert calls == model_evaluations(name, steps, strength), (steps, strength)
        assert np.isfinite(image).all()
        assert image.std() > 0.01


@pytest.mark.parametrize("name", DIFFUSION_NAMES)
def test_a_loop_over_steps_gives_the_latents_of_the_pipeline(stable_diffusion, name):
    pipeline, _, config, _ = stable_diffusion
    start = torch.randn(1, 4, 8, 8, generator=seeded(0))
    pipeline.scheduler = build_scheduler(name, config, 6)
    theirs = pipeline(
        "a bag",
        num_inference_steps=6,
        guidance_scale=1.0,
        latents=start,
        generator=seeded(1),
        output_type="latent",
    ).images
    scheduler = build_scheduler(name, config, 6)
    scheduler.set_timesteps(6)
    with torch.no_grad():
        embedding, _ = pipeline.encode_prompt("a bag", "cpu", 1, do_classifier_free_guidance=False)
        ours, noise = start * scheduler.init_noise_sigma, draws_noise(scheduler)
        # The pipeline's eta is 0 unless given, while TCD's own default is 0.3.
        eta = {"eta": 0.0} if SOLVERS[name].has_eta else {}
        for timestep in scheduler.timesteps:
            seen = scheduler.scale_model_input(ours, timestep)
            predicted = pipeline.unet(seen, timestep, encoder_hidden_states=embedding).sample
            ours = scheduler.step(predicted, timestep, ours, **noise, **eta).prev_sample
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("name", DIFFUSION_NAMES)
def test_a_model_may_say_the_same_in_all_ways_that_the_scheduler_takes(name):
    results = {
        prediction: sample_exactly(name, CONFIG | {"prediction_type": prediction}, 50, "trailing")
        for prediction in SOLVERS[name].predictions
    }
    # PNDM extrapolates what the model said, before it turns that into noise: another solver of the same equation.
    bound = 0.08 if name == "pndm" else 1e-3
    for latents in results.values():
        assert (latents - results["epsilon"]).abs().max() < bound
        assert abs(latents.mean() - MEAN) < 0.1
        assert name in DISTILLED or abs(latents.std() - DEVIATION) < 0.07


@pytest.mark.parametrize(
    "name", sorted(set(DIFFUSION_NAMES) - {n for n in SOLVERS if "sample" in SOLVERS[n].predictions})
)
def test_the_others_cannot_take_predicted_samples(name):
    with pytest.raises((ValueError, NotImplementedError), match="sample"):
        sample_exactly(name, CONFIG | {"prediction_type": "sample"}, 3)


@pytest.mark.parametrize("name", FLOW_NAMES)
def test_flows_arrive_at_the_distribution(name):
    latents = sample_exactly(name, FLOW_CONFIG, 50)
    assert abs(latents.mean() - MEAN) < 0.1
    assert name in DISTILLED or abs(latents.std() - DEVIATION) < 0.07


@pytest.mark.parametrize("name", SOLVERS)
def test_spacing_moves_the_timesteps_where_there_is_one(name):
    config = FLOW_CONFIG if SOLVERS[name].predictions == FLOW else CONFIG
    schedules = set()
    for spacing in get_args(TimestepSpacing):
        scheduler = build_scheduler(name, config, 10, spacing)
        scheduler.set_timesteps(10)
        schedules.add(tuple(scheduler.timesteps.tolist()))
    assert len(schedules) == (3 if SOLVERS[name].has_spacing else 1)


@pytest.mark.parametrize("name", SOLVERS)
def test_eta_is_an_argument_of_the_step_where_it_means_something(name):
    step = getattr(diffusers, SOLVERS[name].class_name).step
    assert ("eta" in inspect.signature(step).parameters) == SOLVERS[name].has_eta


def test_few_steps_start_at_full_noise_unless_told_otherwise():
    first = {}
    for steps, spacing in [(20, None), (21, None), (20, "leading"), (50, "trailing")]:
        scheduler = build_scheduler("ddim", CONFIG | {"timestep_spacing": "leading"}, steps, spacing)
        scheduler.set_timesteps(steps)
        first[steps, spacing] = int(scheduler.timesteps[0])
    assert first == {(20, None): 999, (21, None): 941, (20, "leading"): 951, (50, "trailing"): 999}


SHIPPED = [
    ("PNDMScheduler", {"skip_prk_steps": False}),
    ("DDPMScheduler", {"variance_type": "learned_range"}),
    ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True}),
    ("UniPCMultistepScheduler", {"solver_type": "bh1"}),
    ("EulerDiscreteScheduler", {"use_karras_sigmas": True, "interpolation_type": "log_linear"}),
]


@pytest.mark.parametrize(("class_name", "settings"), SHIPPED)
def test_the_scheduler_a_model_came_with_leaves_no_settings_behind(class_name, settings):
    shipped = json.loads(getattr(diffusers, class_name)(**BETAS, **settings).to_json_string()) | {"steps_offset": 1}
    for name in DIFFUSION_NAMES:
        assert torch.equal(sample_exactly(name, shipped, 6), sample_exactly(name, CONFIG, 6)), name


def test_a_model_keeps_its_noise_schedule_and_the_shift_of_its_flow():
    assert build_scheduler("heun", CONFIG | {"beta_end": 0.02}, 5).config.beta_end == 0.02
    assert build_scheduler("flow_match_euler", FLOW_CONFIG, 5).config.shift == 3.0
    of_sana = {"_class_name": "DPMSolverMultistepScheduler", "use_flow_sigmas": True, "flow_shift": 2.0}
    assert build_scheduler("flow_match_euler", of_sana, 5).config.shift == 2.0


def test_ddim_needs_no_noise_with_eta_0_and_takes_it_with_eta_1(stable_diffusion):
    pipeline, _, config, _ = stable_diffusion
    pipeline.scheduler = build_scheduler("ddim", config, 5)
    start = torch.randn(1, 4, 8, 8, generator=seeded(0))

    def latents(eta: float, noise_seed: int) -> torch.Tensor:
        return pipeline(
            "a bag",
            latents=start,
            generator=seeded(noise_seed),
            eta=eta,
            num_inference_steps=5,
            guidance_scale=1.0,
            output_type="latent",
        ).images

    assert torch.equal(latents(0.0, 1), latents(0.0, 2))
    assert torch.equal(latents(1.0, 1), latents(1.0, 1))
    assert not torch.allclose(latents(1.0, 1), latents(1.0, 2), atol=0.1)


@pytest.mark.parametrize("steps", [20, 100])
def test_ddim_with_eta_1_is_ddpm_but_for_the_last_step(steps):
    """Song et al. 2021, section 4.1; at the end DDIM stays at the noise of the first training step, DDPM removes it."""
    ddim, ddpm = (build_scheduler(name, CONFIG, steps, "trailing") for name in ("ddim", "ddpm"))
    ddim.set_timesteps(steps)
    ddpm.set_timesteps(steps)
    assert ddim.timesteps.tolist() == ddpm.timesteps.tolist()
    first = second = torch.randn(1, 1, 32, 32, generator=seeded(0), dtype=torch.float64)
    first_noise, second_noise, differences = seeded(1), seeded(1), []
    for timestep in ddim.timesteps:
        said = exact_prediction(first, timestep, "epsilon"), exact_prediction(second, timestep, "epsilon")
        first = ddim.step(said[0], timestep, first, eta=1.0, generator=first_noise).prev_sample
        second = ddpm.step(said[1], timestep, second, generator=second_noise).prev_sample
        differences.append(float((first - second).abs().max()))
    assert max(differences[:-1]) < 1e-5
    noise_left = float(alpha_sigma(0)[1])
    assert 0.01 < differences[-1] < 5 * noise_left


@pytest.mark.parametrize(
    ("config", "prediction"),
    [
        ({"_class_name": "PNDMScheduler"}, "epsilon"),
        ({"_class_name": "DDIMScheduler", "prediction_type": "v_prediction"}, "v_prediction"),
        (FLOW_CONFIG, "flow"),
        ({"_class_name": "UniPCMultistepScheduler", "prediction_type": "flow_prediction"}, "flow"),
        ({"_class_name": "EDMEulerScheduler", "prediction_type": "epsilon"}, "epsilon of EDMEulerScheduler"),
    ],
)
def test_the_config_tells_what_a_model_predicts(config, prediction):
    assert prediction_of(config) == prediction


REFUSED = [
    (
        ("dpmpp_2m", FLOW_CONFIG, 10, None, None),
        "the scheduler dpmpp_2m does not fit a model that predicts flow; those that do are flow_match_euler, "
        "flow_match_lcm.",
    ),
    (
        ("kdpm2", CONFIG | {"prediction_type": "sample"}, 10, None, None),
        "the scheduler kdpm2 does not fit a model that predicts sample; those that do are ddim, ddpm, deis, dpmpp_2m, "
        "dpmpp_2m_karras, dpmpp_2s, dpmpp_sde, dpmpp_sde_karras, euler, heun, lcm, lms, sa_solver, tcd, unipc.",
    ),
    (
        ("euler", {"_class_name": "EDMEulerScheduler"}, 10, None, None),
        "the scheduler euler does not fit a model that predicts epsilon of EDMEulerScheduler; none of ours does.",
    ),
    (
        ("pndm", CONFIG, 10, 0.0, None),
        "synthesis.eta is 0, but means nothing to the scheduler pndm, only to ddim and tcd; set it to null.",
    ),
    (
        ("lcm", CONFIG, 10, None, "trailing"),
        "synthesis.timestep_spacing is trailing, but the scheduler lcm places its steps by a rule of its own; set it "
        "to null.",
    ),
    (
        ("lcm", CONFIG, 51, None, None),
        "51 steps are more than the 50 that the scheduler lcm can take with this model; lower num_inference_steps.",
    ),
    (
        ("unipc", CONFIG, 999, None, "leading"),
        "999 steps are more than the 998 that the scheduler unipc can take with this model; lower num_inference_steps.",
    ),
]


@pytest.mark.parametrize(("asked", "words"), REFUSED)
def test_what_does_not_fit_is_refused_in_words(asked, words):
    with pytest.raises(ParameterError) as refused:
        check_scheduler(*asked)
    assert str(refused.value) == words


@pytest.mark.parametrize("name", SOLVERS)
def test_what_fits_is_not_refused(name):
    solver = SOLVERS[name]
    config = FLOW_CONFIG if solver.predictions == FLOW else CONFIG
    check_scheduler(name, config, 50, 0.5 if solver.has_eta else None, "trailing" if solver.has_spacing else None)
    assert set(solver.predictions) <= {*DIFFUSION, *FLOW}


@pytest.mark.parametrize("name", ["lcm", "tcd"])
def test_distilled_schedulers_take_as_many_steps_as_their_models_were_distilled_for(name):
    check_scheduler(name, CONFIG | {"original_inference_steps": 100}, 100, None, None)
    build_scheduler(name, CONFIG | {"original_inference_steps": 100}, 100).set_timesteps(100)
    with pytest.raises(ValueError, match="smaller than `num_inference_steps`: 101"):
        build_scheduler(name, CONFIG | {"original_inference_steps": 100}, 101).set_timesteps(101)


@pytest.mark.parametrize(("steps", "spacing"), [(998, "leading"), (998, "linspace"), (1000, "trailing")])
def test_as_many_steps_as_are_allowed_work(steps, spacing):
    check_scheduler("unipc", CONFIG, steps, None, spacing)
    assert torch.isfinite(sample_exactly("unipc", CONFIG, steps, spacing)).all()


def test_one_step_more_does_not():
    with pytest.raises(AssertionError):
        sample_exactly("unipc", CONFIG, 1000, "leading")
    assert not torch.isfinite(sample_exactly("unipc", CONFIG, 999, "leading")).all()


@pytest.fixture
def planned(tiny_generator, tmp_path):
    real = real_image_set(tmp_path, {"train": 2, "test": 1})
    vocabularies = Vocabularies({"plain": {"templates": ["a {class_name}"], "axes": {}, "negative_prompt": ""}})

    def plan(**changes):
        options, preset = synthesis_options(images_per_class=1, **changes), generator_preset(str(tiny_generator))
        rows = plan_synthesis(real, PromptOptions(vocabulary=None, wording={}), options, preset, vocabularies)
        return rows, Generator(preset, options, real, revision=rows["model_revision"].iloc[0])

    return plan


def test_eta_and_spacing_of_a_plan_reach_the_pipeline(planned):
    pictures, recipes = [], []
    for changes in ({}, {"eta": 0.0}, {"eta": 1.0}, {"timestep_spacing": "leading"}, {"timestep_spacing": "trailing"}):
        rows, generator = planned(**changes)
        pictures.append(np.asarray(generator.make_images(rows)[0].image))
        recipes.append(rows["recipe"].iloc[0])
    assert len(set(recipes)) == 5
    default, eta_0, eta_1, leading, trailing = pictures
    assert np.array_equal(default, eta_0)
    assert np.array_equal(default, trailing)
    assert not np.array_equal(default, eta_1)
    assert not np.array_equal(default, leading)


def test_a_plan_is_refused_before_its_images(planned):
    with pytest.raises(ParameterError, match=r"synthesis\.eta is 1, but means nothing to the scheduler pndm"):
        planned(scheduler="pndm", eta=1.0)
