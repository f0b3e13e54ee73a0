"""Average precision on resamples of the test images: from cached matches, against pycocotools on every resample."""

import contextlib
import io
from functools import partial

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from table import in_turn, print_table, ratio

from diffaug_pipeline.average_precision import Detections, Truth, match, mean_average_precision
from diffaug_pipeline.evaluation.intervals import bootstrap_counts
from diffaug_pipeline.imaging.boxes import Boxes

IMAGES, CLASSES, OBJECTS, FOUND, RESAMPLES, ROUNDS = 300, 10, 4, 60, 4, 3
NAMES = [f"class {number}" for number in range(CLASSES)]
Scene = tuple[Boxes, list[dict]]


def main() -> None:
    rng = np.random.default_rng(0)
    scenes = [random_scene(rng) for _ in range(IMAGES)]
    counts = next(bootstrap_counts(IMAGES, RESAMPLES, seed=0))
    many = np.concatenate(list(bootstrap_counts(IMAGES, 500 * RESAMPLES, seed=0)))
    ways = {
        "pycocotools": partial(evaluate_each, scenes, counts),
        "ours": partial(match_once, scenes, counts),
        "ours, 500 times as many": partial(match_once, scenes, many),
    }
    seconds = in_turn(ways, ROUNDS)
    rows = [(f"{name}", f"{min(values):.2f} s") for name, values in seconds.items()]
    rows.append((f"speed-up on {RESAMPLES} resamples", ratio(seconds["pycocotools"], seconds["ours"])))
    rows.append((f"share of {RESAMPLES} resamples' time for {500 * RESAMPLES} of them",
                 ratio(seconds["ours, 500 times as many"], seconds["pycocotools"])))  # fmt: skip
    print_table(f"mAP50-95 of {IMAGES} images, {CLASSES} classes, {FOUND} detections each", rows)


def random_scene(rng: np.random.Generator) -> Scene:
    """Objects, each found roughly, among clutter."""
    objects = [random_record(rng) for _ in range(OBJECTS)]
    moved = [record | {"xyxy": (np.array(record["xyxy"]) + rng.normal(0, 2, 4)).tolist()} for record in objects]
    found = moved + [random_record(rng) for _ in range(FOUND - OBJECTS)]
    return (
        Boxes.of(record | {"ignored": False} for record in objects),
        [record | {"confidence": float(rng.random())} for record in found],
    )


def random_record(rng: np.random.Generator) -> dict:
    corner = rng.uniform(0, 60, 2)
    return {"label": str(rng.choice(NAMES)), "xyxy": [*corner, *(corner + rng.uniform(8, 40, 2))]}


def match_once(scenes: list[Scene], counts: np.ndarray) -> np.ndarray:
    truth = Truth.of([boxes for boxes, _ in scenes], NAMES)
    matches = match(Detections.of([found for _, found in scenes], NAMES), truth)
    return mean_average_precision(matches.average_precisions(counts))


def evaluate_each(scenes: list[Scene], counts: np.ndarray) -> list[float]:
    return [evaluate([scenes[k] for k in np.repeat(np.arange(IMAGES), row.astype(int))]) for row in counts]


def evaluate(scenes: list[Scene]) -> float:
    truth, found = [], []
    for image, (boxes, records) in enumerate(scenes):
        for record in boxes.records():
            box = as_coco(record, image)
            truth.append(box | {"id": len(truth) + 1, "iscrowd": 0, "area": box["bbox"][2] * box["bbox"][3]})
        found += [as_coco(record, image) | {"score": record["confidence"]} for record in records]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": image} for image in range(len(scenes))],
            "categories": [{"id": number} for number in range(CLASSES)],
            "annotations": truth,
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def as_coco(record: dict, image: int) -> dict:
    left, top, right, bottom = record["xyxy"]
    return {
        "image_id": image,
        "category_id": NAMES.index(record["label"]),
        "bbox": [left, top, right - left, bottom - top],
    }


if __name__ == "__main__":
    main()
