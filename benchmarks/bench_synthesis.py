"""Images per second of our synthesis, stored, against a plain batched diffusers loop that saves PNGs.

Same embedded model, steps, guidance, scheduler, batch size and precision, same prompts and seeds.
"""

import shutil
import statistics
import tempfile
from pathlib import Path

import torch
from diffusers import AutoPipelineForText2Image
from kedro.framework.startup import bootstrap_project
from kedro.io import Version
from table import in_turn, print_table, ratio

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.prompts.plan import plan_synthesis
from diffaug_pipeline.session import RunSession
from diffaug_pipeline.synthesis.models import model_source
from diffaug_pipeline.synthesis.schedulers import build_scheduler
from diffaug_pipeline.synthesis.synthesize import synthesize

PROJECT = Path(__file__).parents[1]
IMAGES_PER_CLASS, BATCH_SIZE, ROUNDS = 13, 64, 4


def main() -> None:
    bootstrap_project(PROJECT)
    with RunSession.create(project_path=PROJECT, env="base") as session:
        catalog = session.load_context().catalog
        options, prompts, generators, vocabularies = (
            catalog.load(f"params:{name}")
            for name in ("classification.synthesis", "classification.prompts", "generators", "vocabularies")
        )
    from diffaug_pipeline.ingestion.ingest import ingest

    scratch = Path(tempfile.mkdtemp(prefix="bench-synthesis-"))
    real, _ = ingest(catalog.load("params:classification.ingestion"))
    store = ImageSetDataset(filepath=str(scratch / "real"), version=Version("v", "v"))
    store.save(real)
    real_images = store.load()
    options = options.model_copy(update={"images_per_class": IMAGES_PER_CLASS, "batch_size": BATCH_SIZE})
    preset = generators.choose(options.generator)
    plan = plan_synthesis(real_images, prompts, options, preset, vocabularies)
    ours = synthesize(plan, real_images, options, preset)
    theirs = AutoPipelineForText2Image.from_pretrained(model_source(preset.model), dtype=torch.float32)
    theirs.set_progress_bar_config(disable=True)
    theirs.scheduler = build_scheduler(preset.scheduler, theirs.scheduler.config, preset.num_inference_steps)

    def make_ours() -> None:
        shutil.rmtree(scratch / "ours", ignore_errors=True)
        ImageSetDataset(filepath=str(scratch / "ours"), version=Version("v", "v")).save(ours)

    def make_theirs() -> None:
        shutil.rmtree(scratch / "theirs", ignore_errors=True)
        (scratch / "theirs").mkdir()
        for start in range(0, len(plan), BATCH_SIZE):
            rows = plan.iloc[start : start + BATCH_SIZE]
            images = theirs(
                rows["prompt"].tolist(),
                num_inference_steps=preset.num_inference_steps,
                guidance_scale=preset.guidance_scale.text_to_image,
                generator=[torch.Generator().manual_seed(seed) for seed in rows["seed"]],
            ).images
            for recipe, image in zip(rows["recipe"], images, strict=True):
                image.save(scratch / "theirs" / f"{recipe}.png")

    seconds = in_turn({"ours": make_ours, "theirs": make_theirs}, ROUNDS)
    print_table(
        f"synthesis of {len(plan)} images, {preset.num_inference_steps} steps, batch {BATCH_SIZE}, float32",
        [
            (name, f"{len(plan) / statistics.median(values):.1f} images/s, stored")
            for name, values in (("this project", seconds["ours"]), ("plain batched diffusers loop", seconds["theirs"]))
        ]
        + [("images/s of this project over those of the loop", ratio(seconds["theirs"], seconds["ours"]))],
    )
    shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
