"""What a report on detectors is made of, except the pictures."""

import numpy as np
import pandas as pd

from diffaug_pipeline.imaging.image_set import ImageSet

RULES = ("clip_score", "zero_shot", "detector_agreement", "undeclared_objects")
RUN_RECORD = {
    "run_id": "2026-01-01T00.00.00",
    "parameters": {"detection": {"note": "<b>bold</b>"}},
    "nodes": {
        "detection.synthesize": {
            "tags": ["synthesis"],
            "seconds": 12.0,
            "outputs": {"detection.generated_images": {"images_made": 24, "seconds_making": 6.0}},
        },
        "detection.label_images": {
            "tags": ["labelling"],
            "seconds": 2.0,
            "outputs": {"detection.synthetic_images": {"images_made": 10, "seconds_making": 1.0}},
        },
    },
    "attempts": [
        {
            "code": {"commit": "a" * 40, "changed": False},
            "libraries": {"ultralytics": "8.4"},
            "machine": {"platform": "Linux", "cpus": 2},
        }
    ],
}


def history(seeds: int = 3) -> pd.DataFrame:
    """Of one arm."""
    return pd.DataFrame(
        [
            {"seed": seed, "step": step, "loss": 1.0, "val_map_50_95": 0.1 + step / 1_000 + seed / 100}
            for seed in range(seeds)
            for step in (0, 100, 200)
        ]
    )


def decisions(synthetic: ImageSet) -> pd.DataFrame:
    """The rules reject in turn; every fifth image is accepted."""
    rng = np.random.default_rng(0)
    rows = []
    for number, image_id in enumerate(synthetic.index["image_id"]):
        reason = [None, *RULES][number % (len(RULES) + 1)]
        scores = {rule: float(rng.random()) for rule in RULES} | {"undeclared_objects": int(rng.integers(0, 3))}
        passes = {f"{rule}_passes": rule != reason for rule in RULES}
        rows.append({"image_id": image_id, **scores, **passes, "accepted": reason is None, "reason": reason})
    return pd.DataFrame(rows)


def calibration(decided: pd.DataFrame, class_names: list[str]) -> dict:
    """As the filter of detection describes itself; the last rule has nothing to be judged by."""
    rates = dict.fromkeys(RULES, 0.05) | {"undeclared_objects": None, "any": 0.12}
    return {
        "rules": {rule: {"quantile": 0.05} for rule in RULES},
        "rules_switched_off": [],
        "switched_off": None,
        "selection": {"policy": "threshold", "score": "clip_score", "cap": None},
        "failed": dict.fromkeys(RULES, 7),
        "made": len(decided),
        "accepted": int(decided["accepted"].sum()),
        "rejected_by": decided["reason"].value_counts().to_dict(),
        "by_hand": {"thresholds": {}, "kept": 0, "rejected": 0},
        "false_reject_rate_on_real_val": rates,
        "boxes_not_judged": 3,
        "per_class": {name: {"boxes": 20, "accepted": 7} for name in class_names},
        "scorer": "embedded:clip",
    }


def copies(synthetic: ImageSet, real: ImageSet) -> pd.DataFrame:
    """As the audit finds them: the first image is a copy of a test image, the others are like training images."""
    train, test = (real.where(split=split).index["image_id"].tolist() for split in ("train", "test"))
    ids = synthetic.index["image_id"].tolist()
    return pd.DataFrame(
        {
            "image_id": ids,
            "nearest_train_image_id": [train[number % len(train)] for number in range(len(ids))],
            "train_distance": 0.4,
            "is_train_copy": False,
            "nearest_held_out_image_id": test[0],
            "held_out_distance": [0.001] + [0.5] * (len(ids) - 1),
            "is_held_out_copy": [True] + [False] * (len(ids) - 1),
            "source_distance": np.nan,
        }
    )


def ingestion_report(real: ImageSet) -> dict:
    """As ingestion of boxes reports."""
    boxes, negatives = {}, {}
    for split in ("train", "val", "test"):
        counted = [of_image.counted() for of_image in real.where(split=split).boxes]
        labels = [label for of_image in counted for label in of_image.labels]
        boxes[split] = {name: labels.count(name) for name in real.class_names}
        negatives[split] = sum(len(of_image) == 0 for of_image in counted)
    return {
        "dataset": "/data/pets & <birds>",
        "format": "coco",
        "splits": "as given",
        "found": len(real),
        "used": len(real),
        "left_out_by_limit": 0,
        "refused": {"broken<1>.jpg": "cannot be decoded"},
        "handled": {},
        "near_duplicates_across_splits": {"groups": 0, "examples": []},
        "images": real.index["split"].value_counts().to_dict(),
        "boxes": boxes,
        "negatives": negatives,
        "box_problems": {
            "outside": {"count": 3, "rule": "cut at the border", "examples": ["<i>a</i>.jpg: [1, 2, 3, 4]"]}
        },
    }
