"""Runs of both tasks, as small as they can be, that have something to export."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
from factories import annotated_image_set, generator_preset, noise_image, real_image_set

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.export.options import ImageExportOptions, Licences, SceneExportOptions
from diffaug_pipeline.export.run import RunArtifacts
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.merging.options import MergingOptions
from diffaug_pipeline.merging.training_sets import augmented
from diffaug_pipeline.synthesis.options import Generators

GENERATOR, SCORER, PHOTOS = "someone/generator", "someone/scorer", "/data/my photos"
GENERATORS = Generators({"mine": generator_preset(GENERATOR)})
LICENCES = Licences(
    {
        SCORER: {"licence": "Apache-2.0", "commercial_use": True},
        PHOTOS: {"licence": "CC-BY-4.0", "commercial_use": True},
    }
)
LARGEST_SEED = 2**63 - 1
MERGING = MergingOptions(
    policy="replace", probability=0.4, synthetic_loss_weight=1.0, synthetic_steps_share=0.5, seed=0
)


def synthetic_image_set(folder: Path, targets: list[Any], target: str, **columns: Any) -> ImageSet:
    """Noise pictures in PNG with all that a generator notes down; `target` is `label` or `boxes`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, value in enumerate(targets):
        path, content = folder / f"{number}.png", encode_png(noise_image(9_000 + number))
        path.write_bytes(content)
        rows.append(
            {
                "image_id": f"synthetic:mine/{number:06d}",
                "path": str(path),
                "width_px": 32,
                "height_px": 32,
                "split": "train",
                "origin": "synthetic",
                target: value,
                "size_bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "recipe": f"recipe{number}",
                "source_image_id": None,
                "strategy": None,
                "mode": "text_to_image",
                "prompt": 'a "fluffy" cat & a <dog> in Zürich',
                "negative_prompt": "blurry",
                "seed": LARGEST_SEED - number,
                "strength": None,
                "guidance_scale": 2.5,
                "num_inference_steps": 12,
                "scheduler": "dpmpp_2m",
                "eta": None,
                "timestep_spacing": None,
                "model": GENERATOR,
                "model_revision": "abc123",
                "adapters": None,
                "labeller": None,
                "labeller_revision": None,
            }
            | columns
        )
    return ImageSet(pd.DataFrame(rows))


def image_run(folder: Path) -> RunArtifacts:
    """Two classes; of four synthetic images the last is rejected."""
    real = real_image_set(folder / "real", {"train": 3, "val": 2, "test": 2})
    return _run(real, synthetic_image_set(folder / "synthetic", ["cat", "dog", "cat", "dog"], "label"), folder)


def scene_run(folder: Path) -> RunArtifacts:
    """Composites over real scenes, a crowd among the boxes; the last is rejected."""
    real = annotated_image_set(folder / "real")
    boxes = [{"label": "coat", "xyxy": [1.5, 2.0, 20.0, 30.25], "ignored": False}]
    columns = {"strategy": "composition", "source_image_id": "scene 0"}
    return _run(real, synthetic_image_set(folder / "synthetic", [boxes, [], boxes], "boxes", **columns), folder)


def references(folder: Path, **config: Any) -> Checkpoint:
    """As `training.folds` leaves them: of none, or of networks that were trained as `config` says."""
    fold = folder / "references" / "fold_0"
    fold.mkdir(parents=True, exist_ok=True)
    (fold / "config.json").write_text(json.dumps(config))
    (fold.parent / "folds.json").write_text(json.dumps({"a.png": 0} if config else {}))
    return Checkpoint(fold.parent)


def _run(real: ImageSet, synthetic: ImageSet, folder: Path) -> RunArtifacts:
    ids, count = synthetic.index["image_id"], len(synthetic)
    decisions = pd.DataFrame({"image_id": ids, "accepted": [True] * (count - 1) + [False]})
    copies = pd.DataFrame({"image_id": ids, "is_held_out_copy": False, "is_train_copy": False})
    return RunArtifacts(
        real_images=real,
        synthetic_images=synthetic,
        training_set=augmented(real, synthetic, decisions, copies, MERGING),
        references=references(folder),
        filter_decisions=decisions,
        filter_calibration=calibration(),
        copies=copies,
        copy_calibration={"real_images": len(real), "held_out": {"independent_flagged_rate": 0.002}},
        ingestion_report={"dataset": PHOTOS},
        comparison=None,
        run_record={"run_id": "exporting", "versions_read": {}},
    )


def calibration(**changes: Any) -> dict[str, Any]:
    """As the filter describes itself."""
    return {
        "scorer": SCORER,
        "scorer_revision": "def456",
        "rules": {"blank": {"quantile": 0.01}, "clip_score": {"quantile": 0.1}},
        "rules_switched_off": [],
        "switched_off": None,
        "selection": {"policy": "threshold"},
        "thresholds": {"blank": {"contrast": 0.0734}, "clip_score": {"clip_score": {"cat": 0.5, "dog": 1.25}}},
        "by_hand": {"thresholds": {}, "kept": 0, "rejected": 0, "without_image": 0, "held_out_copies": 0},
        "rejected_by": {"clip_score": 1},
        "failed": {"blank": 0, "clip_score": 1},
        "false_reject_rate_on_real_val": {"blank": 0.0, "clip_score": 0.125, "any": 0.125},
    } | changes


def image_options(**changes: Any) -> ImageExportOptions:
    """All formats of classification."""
    formats = ["image_folder", "parquet", "webdataset"]
    return ImageExportOptions(**_common() | {"formats": formats} | changes)


def scene_options(**changes: Any) -> SceneExportOptions:
    """All formats of detection."""
    return SceneExportOptions(**_common() | {"formats": ["coco", "yolo", "parquet", "webdataset"]} | changes)


def _common() -> dict[str, Any]:
    return {"include": "augmented", "intended_use": "research", "shard_megabytes": 1.0}
