"""Scores synthetic pictures against real ones, says which to train on, and why not the others.

python examples/filter_images.py dataset pictures decisions.csv    # both folders have a folder per class
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import yaml

from diffaug_pipeline.auditing.copies import AuditingOptions, find_copies
from diffaug_pipeline.features.embedding import FeatureOptions, PlannedFeatures
from diffaug_pipeline.features.features import Features
from diffaug_pipeline.filtering.evidence import Audit
from diffaug_pipeline.filtering.images import FilteringOptions, filter_images
from diffaug_pipeline.filtering.overrides import Overrides
from diffaug_pipeline.imaging.thumbnails import thumbnails
from diffaug_pipeline.ingestion.ingest import IngestionOptions, ingest
from diffaug_pipeline.ingestion.picture_files import list_pictures

CONF = Path(__file__).parents[1] / "conf" / "base" / "parameters_classification.yml"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
for name in ("dataset", "pictures", "decisions"):
    parser.add_argument(name, type=Path)
arguments = parser.parse_args()
options = yaml.safe_load(CONF.read_text())["classification"]
real, _ = ingest(IngestionOptions(**options["ingestion"] | {"dataset": str(arguments.dataset)}))
synthetic = list_pictures(arguments.pictures, "synthetic", max_megapixels=50)
auditing, filtering = AuditingOptions(**options["auditing"]), FilteringOptions(**options["filtering"])
audit = Audit(*find_copies(synthetic, real, thumbnails(synthetic), thumbnails(real), auditing))
with TemporaryDirectory() as folder:
    PlannedFeatures(real, synthetic, FeatureOptions(**options["features"])).make_in(Path(folder), earlier=())
    known = Features(Path(folder)), audit, pd.DataFrame()  # without what other networks predict
    decisions, _ = filter_images(synthetic, real, *known, Overrides(), filtering)
decisions.to_csv(arguments.decisions, index=False)
print(decisions["reason"].fillna("accepted").value_counts().to_string())
