"""The synthesis plan: which images to make, each with its own seed and the hash of all that determines its pixels."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies, Vocabulary
from diffaug_pipeline.prompts.sentences import sentences
from diffaug_pipeline.seeding import derive_seed
from diffaug_pipeline.synthesis.adapters import pin_adapters, write_adapters
from diffaug_pipeline.synthesis.checks import check_generator
from diffaug_pipeline.synthesis.hardware import choose_dtype
from diffaug_pipeline.synthesis.known_classes import check_known_classes
from diffaug_pipeline.synthesis.models import model_revision, scheduler_config
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions
from diffaug_pipeline.synthesis.schedulers import check_scheduler

CLASSIFICATION_MODES = ("text_to_image", "image_to_image")
DRAWING = 2
"""Raised by one whenever this project's code comes to draw other pixels from equal parameters."""
NOT_IN_RECIPE = ("image_id", "label", "split", "origin", "source_image_id")


def plan_synthesis(
    real_images: ImageSet,
    prompts: PromptOptions,
    synthesis: SynthesisOptions,
    preset: GeneratorPreset,
    vocabularies: Vocabularies,
    class_counts: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """One row per image to make, for each class of `real_images`, with the columns of a synthetic image set.

    `class_counts` says how many of each class (see `prompts.budget`); None: `synthesis.images_per_class`. More images
    of a class leave its earlier rows as they are. Raises `UnknownClassesError` where the generator was not taught the
    classes and the mode needs it to know them, `ParameterError` where the options do not fit together.
    """
    if synthesis.mode not in CLASSIFICATION_MODES:
        raise ParameterError(
            f"synthesis.mode is {synthesis.mode or 'null'}; classification offers {' and '.join(CLASSIFICATION_MODES)}."
        )
    train = real_images.where(split="train")
    check_known_classes(preset, real_images.class_names, synthesis)
    check_wording(prompts, real_images.class_names)
    synthesis.check_strengths(preset)
    vocabulary = vocabularies.choose(prompts.vocabulary or preset.vocabulary)
    rows = []
    for class_name, count in (class_counts or dict.fromkeys(train.class_names, synthesis.images_per_class)).items():
        choices = sentences(vocabulary, prompts.wording.get(class_name, class_name))
        sources = contents_of(train.where(label=class_name))
        rows += class_rows(class_name, count, choices, sources, synthesis)
    return complete_plan(rows, shared_columns(synthesis, preset, vocabulary), train)


def complete_plan(rows: list[dict[str, Any]], shared: dict[str, Any], train: ImageSet) -> pd.DataFrame:
    """The plan of `rows` with the columns they share, each with its recipe; sources are images of `train`."""
    contents = contents_of(train)
    for row in rows:
        source = row["source_image_id"]
        determining = {key: value for key, value in (shared | row).items() if key not in NOT_IN_RECIPE}
        row["recipe"] = recipe_hash(determining | {"source": None if source is None else contents[source]})
    return pd.DataFrame(rows).assign(**shared)


def check_wording(prompts: PromptOptions, class_names: list[str]) -> None:
    """Raises `ParameterError` where a wording is given for a class there is not."""
    if unknown := sorted(set(prompts.wording) - set(class_names)):
        raise ParameterError(
            f"prompts.wording names {', '.join(unknown)}, which the dataset does not have; its classes are "
            f"{', '.join(class_names)}."
        )


def recipe_hash(determining: dict[str, Any]) -> str:
    """32 hex digits naming the pixels that `determining` and the code lead to."""
    text = json.dumps(determining | {"drawing": DRAWING}, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def shared_columns(synthesis: SynthesisOptions, preset: GeneratorPreset, vocabulary: Vocabulary) -> dict[str, Any]:
    """What all rows of one plan have in common.

    Raises where the generator cannot make them, see `check_generator` and `check_scheduler`.
    """
    check_generator(preset, synthesis.mode)
    revision = model_revision(preset.model, preset.revision)
    scheduler, steps = synthesis.scheduler_with(preset), synthesis.steps_with(preset)
    config = scheduler_config(preset.model, revision)
    check_scheduler(scheduler, config, steps, synthesis.eta, synthesis.timestep_spacing)
    return {
        "split": "train",
        "origin": "synthetic",
        "width_px": preset.width_px,
        "height_px": preset.height_px,
        "mode": synthesis.mode,
        "negative_prompt": vocabulary.negative_prompt,
        "guidance_scale": synthesis.guidance_scale or getattr(preset.guidance_scale, synthesis.mode),
        "num_inference_steps": steps,
        "scheduler": scheduler,
        "eta": synthesis.eta,
        "timestep_spacing": synthesis.timestep_spacing,
        "fit": synthesis.fit,
        "output_size": synthesis.output_size,
        "dtype": choose_dtype(synthesis, preset),
        "model": preset.model,
        "variant": preset.variant,
        "adapters": write_adapters(pin_adapters(preset.adapters)),
        "model_revision": revision,
    }


def class_rows(
    class_name: str, count: int, choices: list[str], sources: Mapping[str, str], synthesis: SynthesisOptions
) -> list[dict[str, Any]]:
    """`count` pictures of one class, prompted with `choices`; from `sources` (`contents_of`) if the mode asks."""
    seed, mode = synthesis.seed, synthesis.mode
    if mode == "image_to_image":
        draws = take_sources(sources, count, seed, class_name)
    else:
        draws = [Draw(None, class_name, number) for number in range(count)]
    return [
        {
            "image_id": f"synthetic:{class_name}/{number:06d}",
            "label": class_name,
            "source_image_id": draw.source,
            "prompt": take_in_turn(choices, draw.turn, seed, draw.of, "prompt"),
            "seed": derive_seed(seed, "synthesis", mode, draw.of, draw.turn),
            "strength": draw.source and take_in_turn(synthesis.strengths, draw.turn, seed, draw.of, "strength"),
        }
        for number, draw in enumerate(draws)
    ]


class Draw(NamedTuple):
    """What a picture is to start from, and what else about it is drawn by: in turns of its own."""

    source: Any
    of: str
    turn: int


def take_sources(contents: Mapping[Any, str], count: int, seed: int, of: str) -> list[Draw]:
    """`count` draws from rounds that each go through all sources in a fresh order; `contents` tells them by content.

    The order is that of a hash of each, and what is drawn by content and turn changes with no other source: where some
    are added, nearly all pictures of the others are planned as before.
    """
    rounds = range(math.ceil(count / len(contents)))
    draws = [
        Draw(source, contents[source], turn)
        for turn in rounds
        for source in sorted(contents, key=lambda source: derive_seed(seed, "source", of, turn, contents[source]))
    ]
    return draws[:count]


def contents_of(images: ImageSet) -> dict[str, str]:
    """SHA-256 by `image_id`, in index order."""
    return dict(zip(images.index["image_id"], images.index["sha256"], strict=True))


def take_in_turn(choices: Sequence[Any], number: int, seed: int, of: str, what: str) -> Any:
    """The `number`-th draw from rounds that each go through all choices in a fresh order."""
    turn, position = divmod(number, len(choices))
    return choices[_order_of_turn(seed, what, of, turn, len(choices))[position]]


@lru_cache(maxsize=64)
def _order_of_turn(seed: int, what: str, of: str, turn: int, choices: int) -> np.ndarray:
    return np.random.default_rng(derive_seed(seed, what, of, turn)).permutation(choices)
