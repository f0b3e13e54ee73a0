"""Draws a picture per prompt, a PNG file named by the hash of all that determines its pixels.

python examples/generate_images.py pictures "a photo of a coat" "a photo of a dark plain bag" --generator embedded
"""

import argparse
from pathlib import Path

import yaml

from diffaug_pipeline.playground.request import no_source
from diffaug_pipeline.prompts.options import Vocabularies
from diffaug_pipeline.prompts.plan import class_rows, complete_plan, shared_columns
from diffaug_pipeline.synthesis.options import Generators, SynthesisOptions
from diffaug_pipeline.synthesis.synthesize import synthesize

CONF = Path(__file__).parents[1] / "conf" / "base"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument("folder", type=Path)
parser.add_argument("prompts", nargs="+")
parser.add_argument("--generator", default="embedded", help="see parameters_generators.yml")
arguments = parser.parse_args()

presets = yaml.safe_load((CONF / "parameters_generators.yml").read_text())
preset = Generators(presets["generators"]).choose(arguments.generator)
vocabulary = Vocabularies(presets["vocabularies"]).choose(preset.vocabulary)  # for its negative prompt
options = yaml.safe_load((CONF / "parameters_classification.yml").read_text())["classification"]["synthesis"]
synthesis = SynthesisOptions(**options | {"generator": arguments.generator})
rows = class_rows("", len(arguments.prompts), arguments.prompts, [], synthesis)
plan = complete_plan(rows, shared_columns(synthesis, preset, vocabulary), no_source())
images = synthesize(plan, no_source(), synthesis, preset)

arguments.folder.mkdir(parents=True, exist_ok=True)
for recipes in images.batches(plan):
    batch = plan.set_index("recipe", drop=False).loc[recipes]
    for row, image in zip(batch.itertuples(), images.make_images(batch), strict=True):
        (arguments.folder / f"{row.recipe}.png").write_bytes(image.content)
        print(f"{row.recipe}.png: {row.prompt}")
