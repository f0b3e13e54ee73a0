"""Says whether one way of training beats another, from what networks of both say about the same test images.

A file each, CSV or parquet, with a row per seed and image: seed, image_id, label, predicted. The seeds are paired.

python examples/compare_predictions.py real_only.csv augmented.csv
"""

import argparse
from pathlib import Path

import pandas as pd
import yaml

from diffaug_pipeline.evaluation.classification_metrics import ClassificationOutcomes
from diffaug_pipeline.evaluation.comparison import compare_arms, describe_comparison
from diffaug_pipeline.evaluation.options import EvaluationOptions

CONF = Path(__file__).parents[1] / "conf" / "base" / "parameters_classification.yml"


def read_table(path: Path) -> pd.DataFrame:
    """Class names and image ids stay text, also where they are numbers."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, dtype={"image_id": str, "label": str, "predicted": str})


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument("baseline", type=Path)
parser.add_argument("treatment", type=Path)
arguments = parser.parse_args()

options = EvaluationOptions(**yaml.safe_load(CONF.read_text())["classification"]["evaluation"])
arms = {"real_only": arguments.baseline, "augmented": arguments.treatment}
outcomes = {arm: ClassificationOutcomes.of(read_table(path)) for arm, path in arms.items()}
for line in describe_comparison(arguments.treatment.stem, compare_arms(outcomes, options)):
    print(line)
