"""Scenes with random boxes, detectors of a chosen skill, and what pycocotools says about them."""

import contextlib
import hashlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
from factories import smooth_image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.image_set import ImageSet

CLASSES = ["bird", "cat", "dog"]
SIZE_PX = 320
AREAS = ("all", "small", "medium", "large")


def random_record(rng: np.random.Generator, classes: list[str]) -> dict:
    """A box with whole coordinates, so that no order of adding them matters."""
    width, height = rng.integers(8, 120, 2)
    left, top = rng.integers(0, SIZE_PX - 120, 2)
    xyxy = [float(left), float(top), float(left + width), float(top + height)]
    return {"label": str(rng.choice(classes)), "xyxy": xyxy}


def random_scenes(rng: np.random.Generator, images: int, objects: float = 3, ignored: float = 0.1) -> list[Boxes]:
    """The true boxes of each image; some images have none."""
    return [
        Boxes.of(
            random_record(rng, CLASSES) | {"ignored": bool(rng.random() < ignored)} for _ in range(rng.poisson(objects))
        )
        for _ in range(images)
    ]


def random_detections(
    rng: np.random.Generator, scenes: list[Boxes], skill: float = 0.7, clutter: float = 10, digits: int = 2
) -> list[list[dict]]:
    """For each image some of its objects, roughly, some twice, among clutter; few digits make confidences tie."""
    found = []
    for boxes in scenes:
        records = []
        for label, xyxy in zip(boxes.labels, boxes.xyxy, strict=True):
            for _ in range(rng.binomial(2, skill)):
                moved = xyxy + rng.integers(-4, 5, 4)
                name = label if rng.random() < 0.9 else str(rng.choice(CLASSES))
                confidence = round(float(rng.beta(4, 2)), digits)
                if (moved[2:] > moved[:2]).all():
                    records.append({"label": name, "xyxy": moved.tolist(), "confidence": confidence})
        for _ in range(rng.poisson(clutter)):
            confidence = round(float(rng.beta(1, 5)), digits)
            records.append(random_record(rng, CLASSES) | {"confidence": confidence})
        found.append([records[position] for position in rng.permutation(len(records))])
    return found


def coco_eval(scenes: list[Boxes], detections: list[list[dict]]) -> COCOeval:
    """pycocotools' evaluation, accumulated and summarized."""

    def annotation(image: int, label: str, xyxy: list[float]) -> dict:
        left, top, right, bottom = xyxy
        box = [left, top, right - left, bottom - top]
        area = (right - left) * (bottom - top)
        return {"image_id": image + 1, "category_id": CLASSES.index(label) + 1, "bbox": box, "area": area}

    true = [
        annotation(image, row["label"], row["xyxy"]) | {"iscrowd": int(row["ignored"])}
        for image, boxes in enumerate(scenes)
        for row in boxes.records()
    ]
    found = [
        annotation(image, row["label"], row["xyxy"]) | {"score": row["confidence"]}
        for image, records in enumerate(detections)
        for row in records
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "info": {},
            "images": [{"id": image + 1} for image in range(len(scenes))],
            "annotations": [row | {"id": number + 1} for number, row in enumerate(true)],
            "categories": [{"id": number + 1, "name": name} for number, name in enumerate(CLASSES)],
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def coco_precisions(evaluation: COCOeval, area: str = "all") -> np.ndarray:
    """(C, T) average precisions; NaN where COCO says -1."""
    values = evaluation.eval["precision"][:, :, :, AREAS.index(area), -1].mean(1).T
    return np.where(values < 0, np.nan, values)


def detection_set(folder: Path, scenes_by_split: dict[str, list[Boxes]], origin: str = "real", **columns) -> ImageSet:
    """Pictures on disk with these boxes."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for split, scenes in scenes_by_split.items():
        for number, boxes in enumerate(scenes):
            path = folder / f"{split}-{number:03d}.png"
            smooth_image(str(path.name), (SIZE_PX, SIZE_PX)).save(path)
            rows.append(
                {
                    "image_id": f"{origin}/{split}/{number:03d}",
                    "path": str(path),
                    "width_px": SIZE_PX,
                    "height_px": SIZE_PX,
                    "split": split,
                    "origin": origin,
                    "boxes": boxes.records(),
                    "size_bytes": path.stat().st_size,
                    "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                    "recipe": None,
                    **columns,
                }
            )
    return ImageSet(pd.DataFrame(rows))


def indexed_only(scenes: list[Boxes]) -> ImageSet:
    """Test images that nobody is going to look at."""
    rows = [
        {
            "image_id": f"{number:04d}",
            "path": "nowhere",
            "width_px": SIZE_PX,
            "height_px": SIZE_PX,
            "split": "test",
            "origin": "real",
            "boxes": boxes.records(),
            "size_bytes": 0,
            "sha256": "",
            "recipe": None,
        }
        for number, boxes in enumerate(scenes)
    ]
    return ImageSet(pd.DataFrame(rows))


def arm(images: ImageSet, skill: float, seeds: int = 5, salt: int = 0, digits: int = 2) -> pd.DataFrame:
    """A predictions table."""
    test = images.where(split="test")
    tables = [
        pd.DataFrame(
            {
                "seed": seed,
                "image_id": test.index["image_id"],
                "boxes": random_detections(np.random.default_rng([salt, seed]), test.boxes, skill, digits=digits),
            }
        )
        for seed in range(seeds)
    ]
    return pd.concat(tables, ignore_index=True)
