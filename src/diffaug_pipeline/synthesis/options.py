"""Parameters of synthesis and the presets of generators."""

import math
from typing import Literal

from pydantic import Field, RootModel, field_validator, model_validator

from diffaug_pipeline.engines.options import EngineOptions
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.options import Fit
from diffaug_pipeline.options import Options
from diffaug_pipeline.synthesis.schedulers import SchedulerName, TimestepSpacing, steps_taken

Mode = Literal["text_to_image", "image_to_image", "inpainting"]
Dtype = Literal["float32", "bfloat16", "float16"]


class GuidanceScales(Options):
    """Classifier-free guidance per mode; 1 turns it off and halves the work."""

    text_to_image: float = Field(ge=1)
    image_to_image: float = Field(ge=1)
    inpainting: float = Field(ge=1)


class Adapter(Options):
    """Low-rank weights (LoRA) added to a generator's."""

    model: str
    """Hub id, folder, or .safetensors file."""
    revision: str | None
    """Commit of the hub repository; null takes the newest and records which it was."""
    weight_name: str | None
    """The .safetensors file in the repository or folder; null: pytorch_lora_weights.safetensors, as diffusers saves."""
    scale: float
    """Factor on what the adapter adds; 0 is without it."""


class GeneratorPreset(Options):
    """A diffusion model with the settings its authors or our measurements recommend."""

    model: str
    """Hub id, folder, or `embedded:generator`."""
    revision: str | None
    """Commit of the hub repository; null takes the newest and records which it was."""
    variant: str | None
    """Weight variant of the hub repository, e.g. fp16."""
    adapters: list[Adapter]
    """LoRA adapters, all at once."""
    licence: str
    commercial_use: bool
    """Whether the licence allows commercial use of what the model makes."""
    width_px: int = Field(ge=8, multiple_of=8)
    height_px: int = Field(ge=8, multiple_of=8)
    scheduler: SchedulerName
    num_inference_steps: int = Field(ge=1)
    guidance_scale: GuidanceScales
    vocabulary: str
    """The entry of `vocabularies` that suits the model."""

    @property
    def terms(self) -> str:
        """The licence in a few words."""
        return f"licence: {self.licence}, {'commercial use allowed' if self.commercial_use else 'no commercial use'}"


class Generators(RootModel[dict[str, GeneratorPreset]]):
    """Presets by name."""

    def choose(self, name: str) -> GeneratorPreset:
        """The preset called `name`."""
        if name not in self.root:
            raise ParameterError(f"there is no generator {name!r}; there are {', '.join(sorted(self.root))}.")
        return self.root[name]


class SynthesisOptions(EngineOptions):
    """What to make, with which generator; null means the preset's value."""

    generator: str
    """A name from `generators`."""
    mode: Mode | None
    """Null: what the label strategy needs; a classification task must name it, and inpaints nothing."""
    images_per_class: int = Field(ge=1)
    """Images to make of each class, before filtering."""
    strength: float | list[float]
    """Image-to-image and inpainting: share of the noise schedule applied to the source; a list is gone through in
    random order."""
    scheduler: SchedulerName | None
    eta: float | None = Field(ge=0, le=1)
    """Share of fresh noise in each step of ddim and tcd; null is 0, for ddim the same image from the same latents."""
    timestep_spacing: TimestepSpacing | None
    """How steps lie in the noise schedule; null: trailing up to 20 steps, then what the model's scheduler says."""
    num_inference_steps: int | None = Field(ge=1)
    guidance_scale: float | None = Field(ge=1)
    fit: Fit
    """How source images are brought to the model's size."""
    output_size: Literal["model", "source"]
    """`source` gives each picture of image-to-image back at the size of its source, in the place that the model saw."""
    batch_size: int | None = Field(ge=1)
    """Images denoised together; null: what suits the device. Halved where memory does not hold them."""
    dtype: Dtype | Literal["auto"]
    """`auto`: bfloat16 on processors that multiply it natively, float16 or bfloat16 on CUDA, else float32."""
    allow_unknown_classes: bool
    """Go on although the generator was never taught the classes."""
    seed: int = Field(ge=0)

    @property
    def strengths(self) -> list[float]:
        """The strengths to go through, one or more."""
        return self.strength if isinstance(self.strength, list) else [self.strength]

    def steps_with(self, preset: GeneratorPreset) -> int:
        """Steps of the noise schedule with `preset`."""
        return self.num_inference_steps or preset.num_inference_steps

    def scheduler_with(self, preset: GeneratorPreset) -> SchedulerName:
        """Name of the scheduler with `preset`."""
        return self.scheduler or preset.scheduler

    def check_strengths(self, preset: GeneratorPreset) -> None:
        """Raises `ParameterError` where a strength leaves no step to take."""
        steps = self.steps_with(preset)
        if self.mode in ("image_to_image", "inpainting") and not steps_taken(
            self.scheduler_with(preset), steps, min(self.strengths)
        ):
            raise ParameterError(
                f"synthesis.strength {min(self.strengths)} of {steps} steps leaves none to take; the smallest strength "
                f"with {steps} steps is {math.ceil(1000 / steps) / 1000:g}, or raise synthesis.num_inference_steps."
            )

    @field_validator("strength")
    @classmethod
    def _in_range(cls, strength: float | list[float]) -> float | list[float]:
        values = strength if isinstance(strength, list) else [strength]
        if not values or not all(0 < value <= 1 for value in values):
            raise ValueError("every strength must be above 0 and at most 1")
        return strength

    @model_validator(mode="after")
    def _has_sources(self) -> "SynthesisOptions":
        if self.output_size == "source" and self.mode != "image_to_image":
            raise ValueError(
                f"output_size is source, but pictures of mode {self.mode or 'null'} are not as large as any source; "
                "set output_size: model, or mode: image_to_image"
            )
        return self
