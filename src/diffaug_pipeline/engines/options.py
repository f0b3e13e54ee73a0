"""Parameters of work that can be shared out."""

from typing import Literal

from pydantic import Field, model_validator

from diffaug_pipeline.options import Options


class EngineOptions(Options):
    """Who does the work, and on what; without effect on what comes out."""

    device: str
    """`auto`, or what torch calls the device: cpu, cuda, cuda:1, mps; `cuda` means all of them."""
    engine: Literal["local", "ray"]
    """`local`: processes on this machine; `ray`: those of a cluster (docs/cluster.md)."""
    workers: int | None = Field(ge=1)
    """Processes; null: one per CUDA device, else a single one, of a Ray cluster one per machine."""

    @model_validator(mode="after")
    def _leaves_devices_to_ray(self) -> "EngineOptions":
        if self.engine == "ray" and self.device not in ("auto", "cpu", "cuda"):
            raise ValueError(
                f"device is {self.device}, but with engine: ray every worker sees the one device that Ray gives it; "
                "set auto, cuda or cpu"
            )
        return self
