"""Draws what is requested with the engine of a run, and says what it took."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from PIL import Image

from diffaug_pipeline.errors import BatchTooLargeError
from diffaug_pipeline.features.encoder import ClipScorer
from diffaug_pipeline.features.options import FeatureOptions
from diffaug_pipeline.filtering.rules import clip_score
from diffaug_pipeline.imaging.frames import place_back
from diffaug_pipeline.imaging.image_set import PlannedImageSet
from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.playground.plan import describe_strangeness, plan_request
from diffaug_pipeline.playground.request import SOURCE, Request
from diffaug_pipeline.synthesis.generator import Generator
from diffaug_pipeline.synthesis.known_classes import classes_taught
from diffaug_pipeline.synthesis.schedulers import model_evaluations
from diffaug_pipeline.synthesis.synthesize import synthesize


@dataclass(frozen=True)
class Drawn:
    """The pictures of one request and what they took."""

    label: str
    pictures: list[bytes]
    """PNG files, of text-to-image and image-to-image the very ones that a run stores."""
    prompts: list[str]
    recipes: list[str]
    """Which name the pictures, here as in a run."""
    clip_scores: list[float]
    """2.5 times the cosine to what they were scored against, at least 0; NaN where the scorer was not taught that."""
    scored_against: str
    """The class sentence, as in the filter, or a prompt that does not name the class."""
    seconds: float
    """For all pictures, without loading the model."""
    is_first: bool
    """Whether they are the first of the model, which take longer than others."""
    model_evaluations: int
    """Calls of the denoiser per picture."""
    note: str | None
    """What to be wary of."""


class Job:
    """A request that has passed all checks."""

    def __init__(self, request: Request):
        """Raises what `plan_request` raises."""
        self.request = request
        self.plan = plan_request(request)
        self.planned: PlannedImageSet = synthesize(self.plan, request.sources, request.synthesis, request.preset)

    @property
    def batches(self) -> list[pd.DataFrame]:
        """The rows of the plan as a run would batch them."""
        rows = self.plan.set_index("recipe", drop=False)
        return [rows.loc[recipes] for recipes in self.planned.batches(self.plan)]

    @cached_property
    def evaluations_each(self) -> int:
        """Calls of the denoiser per picture."""
        first = self.plan.iloc[0]
        strength = None if pd.isna(first["strength"]) else float(first["strength"])
        return model_evaluations(first["scheduler"], int(first["num_inference_steps"]), strength)

    @property
    def evaluations(self) -> int:
        """How often the denoiser is called for all batches."""
        return self.evaluations_each * len(self.batches)


class Studio:
    """Keeps the generator it drew with last, and the scorer; both are loaded when they are first needed."""

    def __init__(self, features: FeatureOptions):
        self._features = features
        self._known_as: tuple[str, ...] = ()
        self._generator: Generator | None = None
        self._has_drawn = False

    def draw(self, job: Job, after_evaluation: Callable[[], None]) -> Drawn:
        """The pictures of `job`; what `after_evaluation` raises, called as in `Generator.make_images`, ends it."""
        generator = self._take(job)
        started = time.perf_counter()
        pictures = [picture for rows in job.batches for picture in _make(generator, rows, after_evaluation)]
        seconds, is_first, self._has_drawn = time.perf_counter() - started, not self._has_drawn, True
        pictures = [_put_in(job.request, picture) for picture in pictures]
        return Drawn(
            label=job.request.label,
            pictures=[encode_png(picture) for picture in pictures],
            prompts=job.plan["prompt"].tolist(),
            recipes=job.plan["recipe"].tolist(),
            clip_scores=self._score(job.request, pictures).tolist(),
            scored_against="the class" if job.request.goes_by_class else "the prompt",
            seconds=seconds,
            is_first=is_first,
            model_evaluations=job.evaluations_each,
            note=describe_strangeness(job.request),
        )

    def _take(self, job: Job) -> Generator:
        """The generator kept, if it is the one; two might not fit into memory."""
        maker = job.planned.make_images
        options = maker.options
        known_as = (maker.preset.model_dump_json(), maker.revision, options.dtype, options.device, options.fit)
        if self._generator is None or known_as != self._known_as:
            self._generator = None
            self._generator, self._known_as, self._has_drawn = maker.generator, known_as, False
        _ = self._generator.text_to_image
        return self._generator.with_sources(job.request.sources)

    @cached_property
    def _scorer(self) -> ClipScorer:
        scorer = self._features.scorer
        return ClipScorer(scorer.model, scorer.revision, self._features.device)

    def _score(self, request: Request, pictures: list[Image.Image]) -> np.ndarray:
        """(N,) CLIP scores."""
        taught = classes_taught(self._features.scorer.model)
        if taught is not None and not request.asks_for_one_of(taught):
            return np.full(len(pictures), np.nan)
        features = self._scorer.embed_images(pictures, self._features.batch_size, "scoring pictures")
        if request.goes_by_class:
            asked = self._scorer.embed_classes([request.class_name], self._features.scorer.templates)
        else:
            asked = self._scorer.embed_classes([request.prompt], ["{class_name}"])
        return clip_score.WEIGHT * (features @ asked[0]).clip(0)


def _make(generator: Generator, rows: pd.DataFrame, after_evaluation: Callable[[], None]) -> list[Image.Image]:
    """In halves where memory does not hold them."""
    try:
        return [made.image for made in generator.make_images(rows, after_evaluation)]
    except BatchTooLargeError as error:
        if error.batch_size == 1:
            raise
    half = len(rows) // 2
    return _make(generator, rows.iloc[:half], after_evaluation) + _make(generator, rows.iloc[half:], after_evaluation)


def _put_in(request: Request, picture: Image.Image) -> Image.Image:
    """Of inpainting, what was drawn anew in its place in the source; the rest of the source stays as it is."""
    if request.synthesis.mode != "inpainting":
        return picture
    source = request.sources.read(SOURCE)
    return Image.composite(place_back(source, picture, request.synthesis.fit), source, request.mask)
