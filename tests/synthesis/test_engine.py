"""Several worker processes with a real model: the same images as one, also when a worker is killed."""

import os
import signal
import threading
import time
from multiprocessing import active_children
from pathlib import Path

import pandas as pd
import pytest
import torch
from factories import generator_preset, real_image_set, synthesis_options, tree_bytes
from kedro.io import Version

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.errors import BatchTooLargeError
from diffaug_pipeline.imaging.image_set import ImageSet, PlannedImageSet
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.prompts.plan import plan_synthesis
from diffaug_pipeline.synthesis.generator import Generator
from diffaug_pipeline.synthesis.synthesize import synthesize

VOCABULARIES = Vocabularies(
    {"plain": {"templates": ["a photo of a {class_name}"], "axes": {}, "negative_prompt": "blurry"}}
)


@pytest.fixture
def real(tmp_path) -> ImageSet:
    return real_image_set(tmp_path / "real", {"train": 2, "test": 1})


def planned(folder: Path, real: ImageSet, **changes) -> PlannedImageSet:
    preset, options = generator_preset(str(folder)), synthesis_options(**{"images_per_class": 12} | changes)
    plan = plan_synthesis(real, PromptOptions(vocabulary=None, wording={}), options, preset, VOCABULARIES)
    return synthesize(plan, real, options, preset)


def dataset(folder: Path) -> ImageSetDataset:
    return ImageSetDataset(filepath=str(folder / "images"), version=Version("v1", "v1"))


def kill_a_worker_once_something_is_made(folder: Path, killed: list[int]) -> None:
    staged = folder / "images" / ".staging" / "v1" / "images"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(staged.glob("[!.]*")):
        time.sleep(0.01)
    killed.append(active_children()[0].pid)
    os.kill(killed[0], signal.SIGKILL)


@pytest.mark.slow
def test_workers_make_the_same_bytes_also_when_one_is_killed(tiny_generator, real, tmp_path, caplog):
    dataset(tmp_path / "one").save(planned(tiny_generator, real, batch_size=2))
    killed: list[int] = []
    killer = threading.Thread(target=kill_a_worker_once_something_is_made, args=(tmp_path / "two", killed))
    killer.start()
    dataset(tmp_path / "two").save(planned(tiny_generator, real, batch_size=2, workers=2))
    killer.join()
    assert killed
    assert "A worker process was killed" in caplog.text
    assert tree_bytes(tmp_path / "one") == tree_bytes(tmp_path / "two")


def test_equal_batches_give_equal_bytes_in_whatever_order(tiny_generator, real):
    made = planned(tiny_generator, real, batch_size=4)
    by_recipe = made.plan.set_index("recipe", drop=False)

    def draw(batches: list[list[str]]) -> dict[str, bytes]:
        generator = planned(tiny_generator, real).make_images
        drawn = {}
        for recipes in batches:
            images = generator(by_recipe.loc[recipes].reset_index(drop=True))
            drawn |= {recipe: image.content for recipe, image in zip(recipes, images, strict=True)}
        return drawn

    batches = made.batches(made.plan)
    assert draw(batches) == draw(batches[::-1])


def test_the_recipe_does_not_depend_on_batches_and_workers(tiny_generator, real):
    recipes = planned(tiny_generator, real, batch_size=2, workers=2).plan["recipe"]
    pd.testing.assert_series_equal(recipes, planned(tiny_generator, real, batch_size=None).plan["recipe"])
    other = planned(tiny_generator, real, dtype="bfloat16").plan["recipe"]
    assert not set(recipes) & set(other)


def test_running_out_of_memory_says_how_many_pictures_were_too_many(tiny_generator, real, monkeypatch):
    made = planned(tiny_generator, real)

    def run_out(*_: object) -> None:
        torch.empty(1 << 50)

    monkeypatch.setattr(Generator, "_draw", run_out)
    with pytest.raises(
        BatchTooLargeError, match="memory of cpu does not hold 5 pictures of 16 x 16 at a time"
    ) as error:
        made.make_images(made.plan.iloc[:5])
    assert error.value.batch_size == 5
    with pytest.raises(BatchTooLargeError, match="does not hold a single picture of 16 x 16; choose a smaller"):
        made.make_images(made.plan.iloc[:1])
