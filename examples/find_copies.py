"""Asks whether pictures, generated ones say, are near-copies of real ones: of validation or test images above all.

python examples/find_copies.py dataset pictures
"""

import argparse
from pathlib import Path

import yaml

from diffaug_pipeline.auditing.copies import find_copies
from diffaug_pipeline.auditing.options import AuditingOptions
from diffaug_pipeline.imaging.thumbnails import thumbnails
from diffaug_pipeline.ingestion.ingest import ingest
from diffaug_pipeline.ingestion.options import IngestionOptions
from diffaug_pipeline.ingestion.picture_files import list_pictures

CONF = Path(__file__).parents[1] / "conf" / "base" / "parameters_classification.yml"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument("dataset", type=Path, help="train/, val/ and test/, each with a folder per class")
parser.add_argument("pictures", type=Path, help="a folder; pictures in folders below it are found too")
arguments = parser.parse_args()

options = yaml.safe_load(CONF.read_text())["classification"]
real, _ = ingest(IngestionOptions(**options["ingestion"] | {"dataset": str(arguments.dataset)}))
pictures = list_pictures(arguments.pictures, "synthetic", max_megapixels=50)
auditing = AuditingOptions(**options["auditing"])
audited, calibration = find_copies(pictures, real, thumbnails(pictures), thumbnails(real), auditing)

for name, what in (("held_out", "a validation or test image"), ("train", "a training image")):
    copies = audited[audited[f"is_{name}_copy"]]
    rate = calibration[name]["independent_flagged_rate"]
    print(f"{len(copies)} of {len(audited)} pictures copy {what} (independent real images: {rate:.1%} flagged)")
    for row in copies.to_dict("records"):
        print(f"  {row['image_id']} copies {row[f'nearest_{name}_image_id']}, distance {row[f'{name}_distance']:.4f}")
