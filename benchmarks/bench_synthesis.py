"""Images per second of our synthesis, stored, against loops that people write with diffusers.

Same embedded model, steps, guidance and scheduler, same prompts and seeds. The loop per prompt calls the pipeline for
one image at a time and saves it in line; the batched loop calls it for as many as we do. The last comparison leaves
precision and batch size to the engine.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from diffusers import AutoPipelineForText2Image, DiffusionPipeline
from embedded_task import EmbeddedTask, load_task
from kedro.io import Version
from table import in_turn, print_table, ratio

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.evaluation.kernel_distance import difference, kernel_distances
from diffaug_pipeline.features.encoder import ClipScorer
from diffaug_pipeline.imaging.image_set import PlannedImageSet
from diffaug_pipeline.synthesis.conditioning import Conditioning
from diffaug_pipeline.synthesis.hardware import choose_batch_size
from diffaug_pipeline.synthesis.models import model_source
from diffaug_pipeline.synthesis.schedulers import build_scheduler
from diffaug_pipeline.synthesis.synthesize import synthesize

IMAGES_PER_CLASS, IMAGES_ONE_BY_ONE, BATCH_SIZE, ROUNDS = 80, 20, 64, 3
QUALITY_IMAGES_PER_CLASS = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    scratch = Path(tempfile.mkdtemp(prefix="bench-synthesis-"))
    task = load_task(scratch)
    plan, fixed = task.plan(images_per_class=IMAGES_PER_CLASS, batch_size=BATCH_SIZE, dtype="float32")
    free_plan, free = task.plan(images_per_class=IMAGES_PER_CLASS, batch_size=None, dtype="auto")
    pipeline = load_plainly(task)
    ours = synthesize(plan, task.real_images, fixed, task.preset)
    ours_free = synthesize(free_plan, task.real_images, free, task.preset)
    seconds = in_turn(
        {
            "ours": lambda: store(forgetful(ours), scratch / "ours"),
            "batched": lambda: loop(pipeline, task, plan, BATCH_SIZE, scratch / "batched"),
            "one": lambda: loop(pipeline, task, plan[:IMAGES_ONE_BY_ONE], 1, scratch / "one"),
            "free": lambda: store(forgetful(ours_free), scratch / "free"),
        },
        rounds,
    )
    each = {
        name: [value / (IMAGES_ONE_BY_ONE if name == "one" else len(plan)) for value in values]
        for name, values in seconds.items()
    }
    chosen = f"{free_plan['dtype'].iloc[0]}, batch {choose_batch_size(free, task.preset)}"
    print_table(
        f"synthesis of {len(plan)} images, {task.preset.num_inference_steps} steps",
        [
            (title, f"{1_000 * statistics.median(each[name]):.1f} ms an image, stored")
            for name, title in (
                ("one", "loop per prompt, float32"),
                ("batched", f"batched loop, float32, batch {BATCH_SIZE}"),
                ("ours", f"this project, float32, batch {BATCH_SIZE}"),
                ("free", f"this project, left to itself: {chosen}"),
            )
        ]
        + [
            ("loop per prompt / this project, float32", ratio(each["one"], each["ours"])),
            ("batched loop / this project, float32", ratio(each["batched"], each["ours"])),
            ("batched loop / this project, left to itself", ratio(each["batched"], each["free"])),
        ]
        + compare_quality(task, scratch),
    )
    shutil.rmtree(scratch)


def load_plainly(task: EmbeddedTask) -> DiffusionPipeline:
    pipeline = AutoPipelineForText2Image.from_pretrained(model_source(task.preset.model), dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = build_scheduler(
        task.preset.scheduler, pipeline.scheduler.config, task.preset.num_inference_steps
    )
    return pipeline


def loop(pipeline: DiffusionPipeline, task: EmbeddedTask, plan: pd.DataFrame, batch_size: int, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for start in range(0, len(plan), batch_size):
        rows = plan.iloc[start : start + batch_size]
        images = pipeline(
            rows["prompt"].tolist(),
            num_inference_steps=task.preset.num_inference_steps,
            guidance_scale=task.preset.guidance_scale.text_to_image,
            generator=[torch.Generator().manual_seed(seed) for seed in rows["seed"]],
        ).images
        for recipe, image in zip(rows["recipe"], images, strict=True):
            image.save(folder / f"{recipe}.png")


def store(planned: PlannedImageSet, folder: Path) -> ImageSetDataset:
    shutil.rmtree(folder, ignore_errors=True)
    dataset = ImageSetDataset(filepath=str(folder), version=Version("v", "v"))
    dataset.save(planned)
    return dataset


def forgetful(planned: PlannedImageSet) -> PlannedImageSet:
    """The model stays loaded, as in the loops; sentences are encoded anew, as in a first run."""
    planned.make_images.generator._conditioning = Conditioning("cpu")
    return planned


def compare_quality(task: EmbeddedTask, scratch: Path) -> list[tuple[str, str]]:
    """Same prompts and seeds in float32 and as the engine chooses: what becomes of CLIP agreement, KID and pixels."""
    clip = ClipScorer("embedded:clip", None, "cpu")
    names = task.real_images.class_names
    classes = clip.embed_classes(names, ["a photo of a {class_name}"])
    real = clip.embed_images(task.real_images.where(split="test"), 64, "real images")
    pictures, features, recognised = {}, {}, {}
    for dtype in ("float32", "auto"):
        plan, options = task.plan(images_per_class=QUALITY_IMAGES_PER_CLASS, dtype=dtype)
        made = store(synthesize(plan, task.real_images, options, task.preset), scratch / "quality").load()
        features[dtype] = clip.embed_images(made, 64, dtype)
        wanted = np.array([names.index(label) for label in made.index["label"]])
        recognised[dtype] = (features[dtype] @ classes.T).argmax(1) == wanted
        pictures[dtype] = np.stack([np.asarray(image, dtype=float) for image in made])
    distances = kernel_distances(real, features, halves=200, seed=0)
    change = difference(distances["auto"], distances["float32"], width=1.96)
    agreed = recognised["auto"].astype(float) - recognised["float32"]
    margin = 1.96 * agreed.std() / np.sqrt(len(agreed))
    return [
        (f"recognised by CLIP, {len(agreed)} images, float32", f"{100 * recognised['float32'].mean():.1f} %"),
        ("  left to itself minus float32", f"{100 * agreed.mean():+.1f} +- {100 * margin:.1f} points"),
        ("KID against real test images, float32", f"{distances['float32'].value:.4f}"),
        ("  left to itself minus float32", f"{change.mean:+.4f} [{change.low:+.4f}, {change.high:+.4f}]"),
        (
            "the same picture in both, mean absolute difference",
            f"{np.abs(pictures['float32'] - pictures['auto']).mean():.2f} of 255",
        ),
    ]


if __name__ == "__main__":
    main()
