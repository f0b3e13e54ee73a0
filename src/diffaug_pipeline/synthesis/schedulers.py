"""Schedulers by the names people use. Knows no torch until one is built."""

from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from diffusers import SchedulerMixin

SchedulerName = Literal[
    "ddim",
    "ddpm",
    "deis",
    "dpmpp_2m",
    "dpmpp_2m_karras",
    "dpmpp_sde",
    "euler",
    "euler_ancestral",
    "heun",
    "lms",
    "pndm",
    "unipc",
]

CLASSES: dict[str, tuple[str, dict[str, Any]]] = {
    "ddim": ("DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": False}),
    "ddpm": ("DDPMScheduler", {"clip_sample": False}),
    "deis": ("DEISMultistepScheduler", {}),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++"}),
    "dpmpp_2m_karras": (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "dpmsolver++", "use_karras_sigmas": True},
    ),
    "dpmpp_sde": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_ancestral": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "lms": ("LMSDiscreteScheduler", {}),
    "pndm": ("PNDMScheduler", {"skip_prk_steps": True, "set_alpha_to_one": False}),
    "unipc": ("UniPCMultistepScheduler", {}),
}
assert set(CLASSES) == set(get_args(SchedulerName))

FEW_STEPS = 20


def build_scheduler(name: str, model_config: dict[str, Any], num_inference_steps: int) -> "SchedulerMixin":
    """The scheduler, with the noise schedule and prediction type of the model's own scheduler config.

    Up to `FEW_STEPS` steps use trailing spacing: with leading spacing the first step starts well below the noise the
    model was trained to start from, and pictures come out washed out (Lin et al. 2024, section 3.3).
    """
    import diffusers

    class_name, overrides = CLASSES[name]
    spacing = {"timestep_spacing": "trailing"} if num_inference_steps <= FEW_STEPS else {}
    return getattr(diffusers, class_name).from_config(model_config, **overrides, **spacing)
