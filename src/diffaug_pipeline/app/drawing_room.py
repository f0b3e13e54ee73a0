"""What the buttons of the playground do: read the form, and draw until it is done or nobody waits any more."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from diffaug_pipeline.app.pictures import show_pictures
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.playground.mask import join_layers
from diffaug_pipeline.playground.parameters import as_parameters
from diffaug_pipeline.playground.request import (
    Request,
    no_source,
    read_source,
    request_vocabulary,
    with_changes,
)
from diffaug_pipeline.project import Project
from diffaug_pipeline.prompts.options import Vocabulary
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions
from diffaug_pipeline.synthesis.schedulers import SOLVERS

if TYPE_CHECKING:
    from diffaug_pipeline.playground.studio import Job, Studio


class StoppedError(Exception):
    """Nobody waits for the pictures any more."""


@dataclass(frozen=True)
class Form:
    """The values of the screen's fields, in their order."""

    generator: str
    mode: str
    class_name: str | None
    prompt: str
    negative_prompt: str
    source: str | None
    """Path of the uploaded file."""
    drawing: dict[str, Any] | None
    """What the editor hands over: the picture drawn on, and layers whose alpha is the mask."""
    strength: float
    scheduler: str
    num_inference_steps: int | None
    guidance_scale: float | None
    eta: float
    """Counts where the scheduler has it; 0 is a run's null."""
    seed: int | None
    count: int | None


class DrawingRoom:
    """Draws one request at a time, for whoever asks; the model is loaded when the first one comes."""

    def __init__(self, project: Project):
        self.synthesis: SynthesisOptions = project.parameters("params:classification.synthesis")
        self.presets: dict[str, GeneratorPreset] = project.parameters("params:generators").root
        self._prompts = project.parameters("params:classification.prompts")
        self._vocabularies = project.parameters("params:vocabularies")
        self._features = project.parameters("params:classification.features")
        self._max_megapixels = project.parameters("params:classification.ingestion").max_megapixels
        self._stopped: dict[str, float] = {}
        # Gradio's queue lets the next visitor in as soon as one has left, while the last call still runs to its end.
        self._one_at_a_time = threading.Lock()

    @cached_property
    def _studio(self) -> "Studio":
        from diffaug_pipeline.playground.studio import Studio

        return Studio(self._features)

    def vocabulary(self, preset: GeneratorPreset) -> Vocabulary:
        """What a run with this preset would word its prompts by."""
        return self._vocabularies.choose(self._prompts.vocabulary or preset.vocabulary)

    def read(self, form: Form) -> Request:
        """What the form asks for. Raises `ParameterError` for what cannot be asked for."""
        preset = self.presets[form.generator]
        if form.count is None or form.seed is None:
            raise ParameterError("seed and count must be numbers.")
        synthesis = with_changes(
            self.synthesis,
            generator=form.generator,
            mode=form.mode,
            strength=form.strength,
            scheduler=form.scheduler,
            num_inference_steps=form.num_inference_steps,
            guidance_scale=form.guidance_scale,
            eta=(form.eta or None) if SOLVERS[form.scheduler].has_eta else None,
            seed=form.seed,
            output_size="source" if form.mode == "image_to_image" else "model",
        )
        has_source = form.mode != "text_to_image" and form.source is not None
        sources = read_source(Path(form.source), self._max_megapixels) if has_source else no_source()
        is_drawn_on = form.mode == "inpainting" and has_source and form.drawing is not None
        return Request(
            preset=preset,
            synthesis=synthesis,
            vocabulary=request_vocabulary(self.vocabulary(preset), form.prompt, form.negative_prompt),
            class_name=(form.class_name or "").strip(),
            prompt=form.prompt.strip(),
            wording=self._prompts.wording,
            count=form.count,
            sources=sources,
            mask=join_layers(form.drawing["layers"], _size_px(sources)) if is_drawn_on else None,
        )

    def draw(self, requests: Sequence[Request], report: Callable[[int, int], None]) -> str:
        """HTML that shows the pictures of all `requests`, which share preset and source.

        `report` is told how many of how many calls of the denoiser are done; what it raises ends the drawing.
        """
        from diffaug_pipeline.playground.studio import Job

        with self._one_at_a_time:
            jobs = [Job(request) for request in requests]
            after_evaluation = _counter(jobs, report)
            drawn = [self._studio.draw(job, after_evaluation) for job in jobs]
        return show_pictures(drawn, requests[0].sources, requests[0].preset)

    def show_source(self, source: str) -> dict[str, Any]:
        """The uploaded picture, upright, for the editor to show."""
        (picture,) = read_source(Path(source), self._max_megapixels)
        return {"background": picture, "layers": [], "composite": None}

    def parameters(self, request: Request) -> str:
        """See `as_parameters`."""
        return as_parameters(request, self.vocabulary(request.preset))

    def stop(self, visitor: gr.Request) -> None:
        """Ends what this visitor has asked for so far, within one call of the denoiser."""
        self._stopped[visitor.session_hash] = time.monotonic()

    def check_wanted(self, visitor: gr.Request, asked_at: float) -> None:
        """Raises `StoppedError` if the visitor has stopped what was asked for at this time."""
        if self._stopped.get(visitor.session_hash, -math.inf) >= asked_at:
            raise StoppedError


def _size_px(sources: ImageSet) -> tuple[int, int]:
    width, height = sources.index[["width_px", "height_px"]].iloc[0].tolist()
    return width, height


def _counter(jobs: "Sequence[Job]", report: Callable[[int, int], None]) -> Callable[[], None]:
    done, total = 0, sum(job.evaluations for job in jobs)

    def count() -> None:
        nonlocal done
        done += 1
        report(done, total)

    return count
