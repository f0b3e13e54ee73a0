"""What the pictures of each strength say together.

Columns: `strength`; `model_evaluations` (of the denoiser, per picture, guidance not counted); `pictures`; and for each
of `MEASURES` the mean, `<measure>_low` and `<measure>_high`. `agreement_change` is class agreement minus that of the
real sources.
"""

from dataclasses import dataclass

import pandas as pd

from diffaug_pipeline.evaluation.intervals import Interval
from diffaug_pipeline.strength_study.intervals import (
    correlation_of,
    difference_interval,
    mean_interval,
    proportion_interval,
)
from diffaug_pipeline.synthesis.schedulers import model_evaluations

MEASURES = ("agreement", "agreement_change", "clip_similarity", "ssim", "near_duplicates", "diversity")


@dataclass(frozen=True)
class Sources:
    """What the real sources themselves measure: the scale for their descendants."""

    count: int
    agreement: Interval
    diversity: float
    """Between sources of one class."""

    @classmethod
    def of(cls, measures: pd.DataFrame, confidence: float) -> "Sources":
        """From the table of `strength_study.measures`."""
        rows = measures[measures["origin"] == "real"]
        return cls(
            count=len(rows),
            agreement=proportion_interval(rows["agrees"].to_numpy(float), 1, confidence),
            diversity=float(rows["sibling_distance"].mean()),
        )


def summarize_strengths(
    measures: pd.DataFrame, made_with: pd.DataFrame, near_duplicate_distance: float, confidence: float
) -> pd.DataFrame:
    """One row per strength, ascending; `made_with` has `strength`, `scheduler` and `num_inference_steps` by picture."""
    real = measures[measures["origin"] == "real"].set_index("image_id")["agrees"].astype(float)
    results = measures[measures["origin"] == "synthetic"]
    results = results.assign(near_duplicate=results["source_distance"] < near_duplicate_distance)
    reference = Sources.of(measures, confidence).agreement
    settings = made_with.drop_duplicates("strength").set_index("strength")
    rows = []
    for strength, pictures in results.groupby("strength"):
        used = settings.loc[strength]
        row = {
            "strength": strength,
            "model_evaluations": model_evaluations(used["scheduler"], int(used["num_inference_steps"]), strength),
            "pictures": len(pictures),
        }
        for name, interval in _intervals(pictures, real, reference, confidence).items():
            row |= {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
        rows.append(row)
    return pd.DataFrame(rows)


def _intervals(pictures: pd.DataFrame, real: pd.Series, reference: Interval, confidence: float) -> dict[str, Interval]:
    """By name, of the pictures of one strength."""
    by_source = pictures.groupby("source_image_id")
    samples = int(by_source.size().max())
    agreeing = by_source["agrees"].mean()
    agreement = proportion_interval(agreeing.to_numpy(), samples, confidence)
    correlation = correlation_of(agreeing.to_numpy(), real[agreeing.index].to_numpy())

    def mean_of(column: str) -> Interval:
        return mean_interval(by_source[column].mean().to_numpy(float), confidence)

    return {
        "agreement": agreement,
        "agreement_change": difference_interval(agreement, reference, correlation),
        "clip_similarity": mean_of("clip_similarity"),
        "ssim": mean_of("ssim"),
        "near_duplicates": proportion_interval(by_source["near_duplicate"].mean().to_numpy(), samples, confidence),
        "diversity": mean_of("sibling_distance"),
    }
