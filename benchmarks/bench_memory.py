"""Peak memory of synthesis and scoring, 200 against 20,000 planned images, each in a process of its own."""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from table import print_table

FEW, MANY = 200, 20_000


def measure(count: int) -> None:
    """Makes, stores, scores and decides `count` images of a random tiny generator; prints the peak in MiB."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from factories import generator_preset, real_image_set, synthesis_options
    from features.feature_cases import feature_options
    from filtering.filter_cases import audit, filtering_options, no_copies
    from kedro.io import Version
    from models import save_tiny_generator

    from diffaug_pipeline.datasets import ImageSetDataset
    from diffaug_pipeline.features.embedding import PlannedFeatures
    from diffaug_pipeline.features.features import Features
    from diffaug_pipeline.filtering.images import filter_images
    from diffaug_pipeline.filtering.overrides import Overrides
    from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
    from diffaug_pipeline.prompts.plan import plan_synthesis
    from diffaug_pipeline.synthesis.synthesize import synthesize

    with tempfile.TemporaryDirectory(prefix="bench-memory-") as scratch:
        root = Path(scratch)
        real = real_image_set(root / "real", {"train": 20, "val": 20, "test": 2}, ("bag", "dress"))
        model = save_tiny_generator(root / "generator")
        off = {"text_to_image": 1, "image_to_image": 1, "inpainting": 1}
        preset = generator_preset(str(model), num_inference_steps=2, guidance_scale=off)
        options = synthesis_options(images_per_class=count // 2, batch_size=64, allow_unknown_classes=True)
        vocabularies = Vocabularies(
            {
                "plain": {
                    "templates": ["a {tone} {class_name}"],
                    "axes": {"tone": ["dark", "light"]},
                    "negative_prompt": "",
                }
            }
        )
        plan = plan_synthesis(real, PromptOptions(vocabulary=None, wording={}), options, preset, vocabularies)
        store = ImageSetDataset(filepath=str(root / "synthetic"), version=Version("v", "v"))
        store.save(synthesize(plan, real, options, preset))
        synthetic, scored = store.load(), root / "features"
        scored.mkdir()
        PlannedFeatures(real, synthetic, feature_options("embedded:clip", batch_size=64)).make_in(scored, ())
        filtering, nothing = filtering_options(), pd.DataFrame()
        audited = audit(no_copies(synthetic))
        decisions, _ = filter_images(synthetic, real, Features(scored), audited, nothing, Overrides(), filtering)
        assert len(decisions) == count
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def main() -> None:
    peaks = {}
    for count in (FEW, MANY):
        done = subprocess.run([sys.executable, __file__, str(count)], capture_output=True, text=True, check=True)
        peaks[count] = float(done.stdout.strip().splitlines()[-1])
    print_table(
        "peak memory of synthesis and scoring, tiny model",
        [(f"{count:,} images", f"{peak:.0f} MiB") for count, peak in peaks.items()]
        + [("growth", f"{peaks[MANY] / peaks[FEW] - 1:+.1%}")],
    )


if __name__ == "__main__":
    measure(int(sys.argv[1])) if len(sys.argv) > 1 else main()
