"""Turns a dataset with boxes, in COCO, YOLO, Pascal VOC or CSV format, into another one; bad boxes are left out.

python examples/convert_annotations.py my_coco_folder my_yolo_folder --to yolo
"""

import argparse
from pathlib import Path

import yaml

from diffaug_pipeline.formats.coco import write_coco
from diffaug_pipeline.formats.voc import write_voc
from diffaug_pipeline.formats.yolo import write_yolo
from diffaug_pipeline.ingestion.annotated import ingest_annotated
from diffaug_pipeline.ingestion.options import DetectionIngestionOptions

CONF = Path(__file__).parents[1] / "conf" / "base" / "parameters_detection.yml"
WRITERS = {"coco": write_coco, "voc": write_voc, "yolo": write_yolo}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument("dataset", type=Path, help="a folder; its format is found")
parser.add_argument("folder", type=Path, help="the one to write; pictures are copied into it")
parser.add_argument("--to", choices=sorted(WRITERS), default="yolo")
arguments = parser.parse_args()

options = yaml.safe_load(CONF.read_text())["detection"]["ingestion"] | {"dataset": str(arguments.dataset)}
images, report = ingest_annotated(DetectionIngestionOptions(**options))
written = WRITERS[arguments.to](images, arguments.folder)
print(f"{len(written)} of {len(written) + len(report['refused'])} pictures, {', '.join(images.class_names)}")
for name, reason in report["refused"].items():
    print(f"refused: {name}: {reason}")
