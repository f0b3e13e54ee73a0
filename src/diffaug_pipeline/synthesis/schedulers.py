"""Schedulers by the names people use, and what each can do. Knows no torch until one is built."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from diffaug_pipeline.errors import ParameterError

if TYPE_CHECKING:
    from diffusers import SchedulerMixin

SchedulerName = Literal[
    "ddim",
    "ddpm",
    "deis",
    "dpmpp_2m",
    "dpmpp_2m_karras",
    "dpmpp_2s",
    "dpmpp_sde",
    "dpmpp_sde_karras",
    "euler",
    "euler_ancestral",
    "flow_match_euler",
    "flow_match_lcm",
    "heun",
    "kdpm2",
    "kdpm2_ancestral",
    "lcm",
    "lms",
    "pndm",
    "sa_solver",
    "tcd",
    "unipc",
]
TimestepSpacing = Literal["leading", "trailing", "linspace"]

NOISE_OR_VELOCITY = ("epsilon", "v_prediction")
DIFFUSION = (*NOISE_OR_VELOCITY, "sample")
FLOW = ("flow",)


@dataclass(frozen=True)
class Solver:
    """A diffusers class, how it is set up, and facts that tests measure."""

    class_name: str
    overrides: dict[str, Any] = field(default_factory=dict)
    predictions: tuple[str, ...] = DIFFUSION
    """What the model may predict; see `prediction_of`."""
    has_eta: bool = False
    """Whether it takes the share of fresh noise per step that `eta` is."""
    adds_noise: bool = False
    """Whether it adds fresh noise in its steps whatever is asked."""
    has_spacing: bool = True
    """Whether `timestep_spacing` changes its timesteps."""
    evaluations_per_step: int = 1
    """Denoiser calls; the last step always takes one."""
    repeats_a_step: bool = False
    """Whether one more call goes to a timestep seen before, where there are two or more."""
    max_steps_key: str | None = None
    """Entry of its config that bounds the steps."""


# Left out: IPNDM, which runs through a noise schedule of its own whatever the model was trained with; DPMSolverSDE and
# CosineDPMSolver, which need torchsde; EDM*, for models preconditioned otherwise; FlowMatchHeun, which accepts neither
# the sigmas nor the mu that pipelines of flow models, Stable Diffusion 3 apart, hand over. The multistep solvers can
# integrate flows (use_flow_sigmas) but lack scale_noise, which image-to-image calls.
SOLVERS: dict[SchedulerName, Solver] = {
    "ddim": Solver("DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": False}, has_eta=True),
    "ddpm": Solver("DDPMScheduler", {"clip_sample": False}, adds_noise=True),
    "deis": Solver("DEISMultistepScheduler"),
    "dpmpp_2m": Solver("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++"}),
    "dpmpp_2m_karras": Solver(
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "dpmsolver++", "use_karras_sigmas": True},
        has_spacing=False,
    ),
    "dpmpp_2s": Solver(
        "DPMSolverSinglestepScheduler",
        {"algorithm_type": "dpmsolver++", "lower_order_final": True},
        has_spacing=False,
    ),
    "dpmpp_sde": Solver("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}, adds_noise=True),
    "dpmpp_sde_karras": Solver(
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True},
        adds_noise=True,
        has_spacing=False,
    ),
    "euler": Solver("EulerDiscreteScheduler"),
    "euler_ancestral": Solver("EulerAncestralDiscreteScheduler", predictions=NOISE_OR_VELOCITY, adds_noise=True),
    "flow_match_euler": Solver("FlowMatchEulerDiscreteScheduler", predictions=FLOW, has_spacing=False),
    "flow_match_lcm": Solver("FlowMatchLCMScheduler", predictions=FLOW, adds_noise=True, has_spacing=False),
    "heun": Solver("HeunDiscreteScheduler", evaluations_per_step=2),
    "kdpm2": Solver("KDPM2DiscreteScheduler", predictions=NOISE_OR_VELOCITY, evaluations_per_step=2),
    "kdpm2_ancestral": Solver(
        "KDPM2AncestralDiscreteScheduler", predictions=NOISE_OR_VELOCITY, adds_noise=True, evaluations_per_step=2
    ),
    "lcm": Solver("LCMScheduler", adds_noise=True, has_spacing=False, max_steps_key="original_inference_steps"),
    "lms": Solver("LMSDiscreteScheduler"),
    "pndm": Solver(
        "PNDMScheduler",
        {"skip_prk_steps": True, "set_alpha_to_one": False},
        predictions=NOISE_OR_VELOCITY,
        repeats_a_step=True,
    ),
    "sa_solver": Solver("SASolverScheduler", adds_noise=True),
    "tcd": Solver("TCDScheduler", has_eta=True, has_spacing=False, max_steps_key="original_inference_steps"),
    "unipc": Solver("UniPCMultistepScheduler"),
}
assert set(SOLVERS) == set(get_args(SchedulerName))

MODEL_FACTS = (
    "_class_name",
    "_use_default_values",
    "beta_end",
    "beta_schedule",
    "beta_start",
    "num_train_timesteps",
    "original_inference_steps",
    "prediction_type",
    "rescale_betas_zero_snr",
    "set_alpha_to_one",
    "steps_offset",
    "timestep_spacing",
    "trained_betas",
)
"""What a scheduler config says about the model. The rest sets up the scheduler that the model came with, and would turn
others into something else (Karras sigmas, clipping) or stop them (an algorithm type that they lack)."""

FEW_STEPS = 20
TRAINING_STEPS = 1000
"""What diffusers takes for `num_train_timesteps` where a config does not say."""
DISTILLATION_STEPS = 50
"""What diffusers takes for `original_inference_steps`."""


def build_scheduler(
    name: str, model_config: dict[str, Any], num_inference_steps: int, timestep_spacing: str | None = None
) -> "SchedulerMixin":
    """The scheduler, with the noise schedule and prediction type of the model's own scheduler config.

    Without a `timestep_spacing`, up to `FEW_STEPS` steps use trailing spacing: with leading spacing the first step
    starts well below the noise the model was trained to start from, and pictures come out washed out (Lin et al. 2024,
    section 3.3). More steps use the spacing of the config.
    """
    import diffusers

    solver = SOLVERS[name]
    changes = dict(solver.overrides)
    spacing = timestep_spacing or ("trailing" if num_inference_steps <= FEW_STEPS else None)
    if solver.has_spacing and spacing is not None:
        changes["timestep_spacing"] = spacing
    config = model_config
    if solver.predictions != FLOW:
        config = {key: value for key, value in model_config.items() if key in MODEL_FACTS}
    elif "flow_shift" in model_config:
        changes["shift"] = model_config["flow_shift"]
    return getattr(diffusers, solver.class_name).from_config(config, **changes)


def model_evaluations(name: str, num_inference_steps: int, strength: float | None = None) -> int:
    """How often the denoiser is called for an image, guidance not counted; `strength` where there is a source.

    >>> model_evaluations("heun", 20), model_evaluations("pndm", 20), model_evaluations("pndm", 20, strength=0.5)
    (39, 21, 11)
    """
    solver = SOLVERS[name]
    steps = num_inference_steps if strength is None else steps_taken(name, num_inference_steps, strength)
    repeated = solver.repeats_a_step and num_inference_steps > 1
    return (steps - 1) * solver.evaluations_per_step + 1 + repeated


def steps_taken(name: str, num_inference_steps: int, strength: float) -> int:
    """Of the steps of the schedule, those that image-to-image and inpainting take, as the pipelines round.

    >>> steps_taken("ddim", 8, 0.2), steps_taken("flow_match_euler", 8, 0.2)
    (1, 2)
    """
    applied = min(num_inference_steps * strength, num_inference_steps)
    if SOLVERS[name].predictions == FLOW:
        return num_inference_steps - int(num_inference_steps - applied)
    return int(applied)


def prediction_of(model_config: dict[str, Any]) -> str:
    """What the model predicts: epsilon, v_prediction, sample or flow; something else for families not served here.

    >>> prediction_of({"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0})
    'flow'
    """
    class_name = model_config.get("_class_name", "")
    stated = model_config.get("prediction_type", "epsilon")
    if class_name.startswith("FlowMatch") or model_config.get("use_flow_sigmas") or stated == "flow_prediction":
        return "flow"
    return f"{stated} of {class_name}" if class_name.startswith("EDM") else stated


def fitting_schedulers(model_config: dict[str, Any]) -> list[SchedulerName]:
    """Those that fit what the model predicts.

    >>> fitting_schedulers({"_class_name": "FlowMatchEulerDiscreteScheduler"})
    ['flow_match_euler', 'flow_match_lcm']
    """
    prediction = prediction_of(model_config)
    return [name for name, solver in SOLVERS.items() if prediction in solver.predictions]


def check_scheduler(
    name: str,
    model_config: dict[str, Any],
    num_inference_steps: int,
    eta: float | None,
    timestep_spacing: str | None,
) -> None:
    """Raises `ParameterError` where the scheduler does not fit the model, the steps or what else is asked of it."""
    solver, fitting = SOLVERS[name], fitting_schedulers(model_config)
    if name not in fitting:
        raise ParameterError(
            f"the scheduler {name} does not fit a model that predicts {prediction_of(model_config)}; "
            + (f"those that do are {', '.join(fitting)}." if fitting else "none of ours does.")
        )
    if eta is not None and not solver.has_eta:
        with_eta = " and ".join(other for other, solver in SOLVERS.items() if solver.has_eta)
        raise ParameterError(
            f"synthesis.eta is {eta:g}, but means nothing to the scheduler {name}, only to {with_eta}; set it to null."
        )
    if timestep_spacing is not None and not solver.has_spacing:
        raise ParameterError(
            f"synthesis.timestep_spacing is {timestep_spacing}, but the scheduler {name} places its steps by a rule of "
            "its own; set it to null."
        )
    most = _most_steps(solver, model_config, timestep_spacing)
    if most is not None and num_inference_steps > most:
        raise ParameterError(
            f"{num_inference_steps} steps are more than the {most} that the scheduler {name} can take with this model; "
            "lower num_inference_steps."
        )


def _most_steps(solver: Solver, model_config: dict[str, Any], timestep_spacing: str | None) -> int | None:
    if solver.predictions == FLOW:
        return None
    if solver.max_steps_key is not None:
        return model_config.get(solver.max_steps_key, DISTILLATION_STEPS)
    trained = model_config.get("num_train_timesteps", TRAINING_STEPS)
    # Other spacings leave room at the ends: with one step for each of training they reach beyond it, or divide by 0.
    return trained if timestep_spacing == "trailing" else trained - 2
