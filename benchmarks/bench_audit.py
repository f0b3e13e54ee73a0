"""How many copies of test images the audit finds, by the way of copying, and how often independent pictures alarm it.

Real test images of both embedded tasks are planted, each as a picture of its own, beside validation images, which are
independent. Thresholds are those that training images set, as in a run.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml
from chain import CONF
from kedro.io import Version
from PIL import Image, ImageOps
from table import print_markdown

from diffaug_pipeline.auditing.neighbours import NOBODY, nearest
from diffaug_pipeline.auditing.options import AuditingOptions
from diffaug_pipeline.auditing.thresholds import are_copies, copy_threshold
from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.imaging.preparation import open_image
from diffaug_pipeline.imaging.thumbnails import thumbnails
from diffaug_pipeline.ingestion.annotated import ingest_annotated
from diffaug_pipeline.ingestion.ingest import ingest
from diffaug_pipeline.ingestion.options import DetectionIngestionOptions, IngestionOptions

PLANTED = 500
TASKS = {
    "classification": lambda block: ingest(IngestionOptions(**block)),
    "detection": lambda block: ingest_annotated(DetectionIngestionOptions(**block)),
}
Way = Callable[[Image.Image], Image.Image]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planted", type=int, default=PLANTED, help="test images of a task, at most, in each way")
    planted = parser.parse_args().planted
    found = {task: audit(task, planted) for task in TASKS}
    names = list(next(iter(found.values())))
    print_markdown(["copied as", *TASKS], [[name, *(found[task][name] for task in TASKS)] for name in names])


def audit(task: str, planted: int) -> dict[str, str]:
    """What to say about each way, and about independent pictures."""
    pictures, options = load_pictures(task)
    train, test = thumbnails(pictures["train"]), thumbnails(pictures["test"])

    def distances(queries: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        nobody = np.full(len(queries), NOBODY)
        neighbours = nearest(queries, test, nobody, options.candidates, what)
        return neighbours.numbers, neighbours.distances, neighbours.runner_up_distances

    threshold = copy_threshold(distances(train, "training images")[1], options.false_alarm_rate)
    chosen = np.unique(np.linspace(0, len(test) - 1, planted).astype(int))
    said = {}
    for name, way in WAYS.items():
        numbers, near, runner_up = distances(thumbnails([way(pictures["test"][i]) for i in chosen]), name)
        said[name] = f"{(are_copies(near, runner_up, threshold) & (numbers == chosen)).mean():.1%} of {len(chosen)}"
    started = time.perf_counter()
    _, near, runner_up = distances(thumbnails(pictures["val"]), "validation images")
    each = (time.perf_counter() - started) / len(near)
    said["not copied: taken for copies"] = f"{are_copies(near, runner_up, threshold).mean():.1%} of {len(near)}"
    said["milliseconds per picture"] = f"{1000 * each:.0f}, against {len(test):,}"
    return said


def load_pictures(task: str) -> tuple[dict[str, list[Image.Image]], AuditingOptions]:
    """Real pictures by split, and how runs audit."""
    blocks = yaml.safe_load((CONF / f"parameters_{task}.yml").read_text())[task]
    with tempfile.TemporaryDirectory(prefix="bench-audit-") as scratch:
        store = ImageSetDataset(filepath=str(Path(scratch) / "real"), version=Version("v", "v"))
        store.save(TASKS[task](blocks["ingestion"])[0])
        real = store.load()
        pictures = {
            split: [open_image(Path(path).read_bytes()) for path in real.where(split=split).index["path"]]
            for split in ("train", "val", "test")
        }
    return pictures, AuditingOptions(**blocks["auditing"])


def reencoded(picture: Image.Image, file_format: str, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, quality=quality)
    return open_image(buffer.getvalue())


def scaled(picture: Image.Image, factor: float) -> Image.Image:
    return picture.resize(tuple(round(factor * side) for side in picture.size), Image.Resampling.BICUBIC)


def cropped(picture: Image.Image) -> Image.Image:
    """Without 5 % on each side."""
    width, height = picture.size
    inner = 0.05 * width, 0.05 * height, 0.95 * width, 0.95 * height
    return picture.resize(picture.size, Image.Resampling.BICUBIC, box=inner)


WAYS: dict[str, Way] = {
    "it is": lambda picture: picture,
    "JPEG, quality 90": lambda picture: reencoded(picture, "JPEG", 90),
    "JPEG, quality 75": lambda picture: reencoded(picture, "JPEG", 75),
    "JPEG, quality 50": lambda picture: reencoded(picture, "JPEG", 50),
    "WebP, quality 80": lambda picture: reencoded(picture, "WEBP", 80),
    "WebP, quality 50": lambda picture: reencoded(picture, "WEBP", 50),
    "twice the size": lambda picture: scaled(picture, 2),
    "three quarters of the size": lambda picture: scaled(picture, 0.75),
    "half the size": lambda picture: scaled(picture, 0.5),
    "mirrored": ImageOps.mirror,
    "cropped by 5 % on each side": cropped,
    "mirrored, cropped and JPEG, quality 75": lambda picture: reencoded(cropped(ImageOps.mirror(picture)), "JPEG", 75),
}


if __name__ == "__main__":
    main()
