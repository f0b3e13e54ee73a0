"""Made-up networks of known accuracy, and what the study makes of them."""

from pathlib import Path

import pandas as pd
from evaluations import evaluation_options, outcomes
from factories import real_image_set

from diffaug_pipeline.dose_response.findings import choose_dose, confirm_dose
from diffaug_pipeline.dose_response.options import DoseResponseOptions
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.training.options import TrainingLoopOptions


def study_options(**changes) -> DoseResponseOptions:
    values = {
        "ratios": [0.0, 0.5, 1.0],
        "real_shares": [0.25, 0.5, 0.75],
        "steps": None,
        "seeds": None,
        "standard_errors": 1.0,
        "max_growth": 4.0,
        "seed": 0,
    }
    return DoseResponseOptions(**values | changes)


def loop_options(**changes) -> TrainingLoopOptions:
    values = {
        "steps": 1,
        "batch_size": 2,
        "learning_rate": 0.001,
        "warmup_steps": 0,
        "weight_decay": 0.0,
        "evaluations": 1,
        "seeds": [0, 1],
        "workers": 1,
        "device": "cpu",
    }
    return TrainingLoopOptions(**values | changes)


def real_images(folder: Path) -> ImageSet:
    """40 training images and no others: enough to know how many there are."""
    return real_image_set(folder, {"train": 20})


def power_law(images: float) -> float:
    """The accuracy that so many real images teach."""
    return 1 - (0.05 + 1.5 * images**-0.5)


def accuracies(**doses: float) -> dict[str, float]:
    """Of all arms; real images alone follow `power_law`, ratios are worth what `doses` say in real images."""
    shares = {f"real_{share:g}": power_law(40 * share) for share in (0.25, 0.5, 0.75)}
    return shares | {"ratio_0": power_law(40), **{f"ratio_{name}": power_law(worth) for name, worth in doses.items()}}


def document(folder: Path, half: float = 60, one: float = 61, seeds: int = 5) -> dict:
    """The whole study's, ratio 0.5 being worth `half` real images, and ratio 1 `one`."""
    answers = outcomes(accuracies(**{"0.5": half, "1": one}), seeds, images=4_000)
    choice = choose_dose(answers, real_images(folder), study_options(), evaluation_options())
    asked = {f"ratio_{ratio:g}" for ratio in (0, choice["chosen_ratio"])} if choice["chosen_ratio"] else set()
    return confirm_dose(choice, {arm: answers[arm] for arm in asked}, evaluation_options())


def decisions(images: ImageSet) -> pd.DataFrame:
    """All accepted."""
    target = images.index[["image_id", *({"label"} & set(images.index))]]
    return target.assign(accepted=True)


def copies(images: ImageSet, leaked: str | None = None) -> pd.DataFrame:
    """As auditing tells; the image named copies a test image."""
    ids = images.index["image_id"]
    return pd.DataFrame(
        {"image_id": ids, "nearest_held_out_image_id": "cat/test/0", "is_held_out_copy": ids == (leaked or "")}
    )


def as_synthetic(images: ImageSet) -> ImageSet:
    """Training images again, as if generated."""
    rows = images.where(split="train").index
    made = {"image_id": "synthetic:" + rows["image_id"], "origin": "synthetic", "source_image_id": None}
    return ImageSet(rows.assign(**made))
