"""From the artifacts of a run to a function that fills a folder with its dataset."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.evaluation.audit import describe_audit
from diffaug_pipeline.export.card import CardContent, render_card
from diffaug_pipeline.export.contents import gather_images
from diffaug_pipeline.export.dataset import write_dataset
from diffaug_pipeline.export.licences import check_licences, find_ingredients
from diffaug_pipeline.export.options import ImageExportOptions, Licences, SceneExportOptions
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.synthesis.options import Generators


@dataclass(frozen=True)
class RunArtifacts:
    """What a run has made, under the names of the catalog; the training set is that of the arm augmented."""

    real_images: ImageSet
    synthetic_images: ImageSet
    training_set: ImageSet
    references: Checkpoint
    filter_decisions: pd.DataFrame
    filter_calibration: dict[str, Any]
    copies: pd.DataFrame
    copy_calibration: dict[str, Any]
    ingestion_report: dict[str, Any]
    comparison: dict[str, Any] | None
    """None where no network was trained."""
    run_record: dict[str, Any]


def export_dataset(
    task: str,
    run: RunArtifacts,
    options: ImageExportOptions | SceneExportOptions,
    generators: Generators,
    licences: Licences,
) -> Callable[[Path], None]:
    """Fills an empty folder with the dataset of `run`.

    Before any file is written raises `LicenceError` for a commercial use that is not known to be allowed, and what
    `gather_images` raises.
    """
    images = gather_images(run.real_images, run.synthetic_images, run.training_set, options.include)
    dataset = run.ingestion_report["dataset"]
    ingredients = find_ingredients(images, dataset, run.filter_calibration, run.references, generators, licences)
    check_licences(ingredients, options)
    content = CardContent(
        task=task,
        dataset=dataset,
        images=images,
        training_set=run.training_set,
        ingredients=ingredients,
        calibration=run.filter_calibration,
        audit=describe_audit(run.copies, run.copy_calibration, run.filter_decisions),
        comparison=run.comparison,
        run_id=run.run_record["versions_read"].get(f"{task}.augmented.training_set", run.run_record["run_id"]),
    )
    return partial(write_dataset, images, partial(render_card, content), options)
