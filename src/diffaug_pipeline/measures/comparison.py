"""Sets of pictures compared at equal sizes.

What these measures say depends on how many pictures they are given: recall, coverage and the Vendi score grow with
them. So every draw takes as many pictures of each set, and as many real ones to compare with, at most half of the
smallest set; the value is the mean over draws. Halves, because the spread over draws then tells how far other samples
would be (delete-d jackknife: Shao and Wu 1989). In simulations with known truth intervals were one to three times as
wide as needed, those of other real pictures up to six times; too narrow were only those of the Vendi score of a dozen
pictures (87 % instead of 95 % held the truth).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from diffaug_pipeline.measures.catalogue import ACCEPTED, FID, MADE, MEASURES, REAL, SETS
from diffaug_pipeline.measures.options import MeasureOptions
from diffaug_pipeline.measures.similarity import Cosines, cmmd, kid, neighbourhood_shares
from diffaug_pipeline.measures.vendi import vendi_score

Value = dict[str, Any]
"""`mean`, `low`, `high` (both null where there is one draw only) and `images`, how many of each set were compared."""


@dataclass(frozen=True)
class Pictures:
    """Unit vectors of real and synthetic pictures, of one class or of all."""

    real: np.ndarray
    """(R, D)"""
    made: np.ndarray
    """(M, D)"""
    accepted: np.ndarray
    """(M,) whether the filter let it pass."""

    @property
    def counts(self) -> dict[str, int]:
        """Pictures of each set."""
        return {REAL: len(self.real), MADE: len(self.made), ACCEPTED: int(self.accepted.sum())}


def compare_sets(pictures: Pictures, options: MeasureOptions, seed: int) -> dict[str, Any]:
    """The measures of each set against real pictures, as a document; null is what has too few pictures.

    `counts` of the sets; `sets`, a `Value` per set and measure; `change`, a `Value` per measure: what the filter
    changed, accepted minus made. Accepted ones are drawn in the order in which they are among those made, so that what
    both have in common does not blur their difference.
    """
    counts = pictures.counts
    measured = [name for name in SETS if counts[name] >= options.min_images]
    sets: dict[str, dict[str, Value | None]] = {name: dict.fromkeys((*MEASURES, FID)) for name in SETS}
    change: dict[str, Value | None] = dict.fromkeys(MEASURES)
    if {REAL, MADE} <= set(measured):
        size = min(options.max_images, *(counts[name] // 2 for name in measured))
        draws = _measure_draws(pictures, measured, size, options, seed)
        for name, drawn in draws.items():
            sets[name] |= _in_range(_values(drawn, size, min(counts[REAL], counts[name]), options))
        if ACCEPTED in draws:
            change = _values(draws[ACCEPTED] - draws[MADE], size, min(counts[REAL], counts[ACCEPTED]), options)
        for name, value in _frechet_distances(pictures, options.min_images_for_fid, seed).items():
            sets[name][FID] = value
    return {"counts": counts, "sets": sets, "change": change}


def _measure_draws(
    pictures: Pictures, measured: list[str], size: int, options: MeasureOptions, seed: int
) -> dict[str, pd.DataFrame]:
    """For each set a row per draw and a column per measure."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in measured}
    for _ in range(options.draws):
        reference, drawn = _draw(pictures, size, rng)
        for name in measured:
            cosines = Cosines.between(reference, drawn[name])
            shares = neighbourhood_shares(cosines, options.nearest_neighbours)
            rows[name].append({"kid": kid(cosines), "cmmd": cmmd(cosines), "vendi": vendi_score(drawn[name])} | shares)
    return {name: pd.DataFrame(of_set, columns=list(MEASURES)) for name, of_set in rows.items()}


def _draw(pictures: Pictures, size: int, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """`size` real pictures to compare with, and as many of each set that has them."""
    of_real, of_made = rng.permutation(len(pictures.real)), rng.permutation(len(pictures.made))
    of_accepted = of_made[pictures.accepted[of_made]]
    return pictures.real[of_real[:size]], {
        REAL: pictures.real[of_real[size : 2 * size]],
        MADE: pictures.made[of_made[:size]],
        ACCEPTED: pictures.made[of_accepted[:size]],
    }


def _values(drawn: pd.DataFrame, size: int, smallest: int, options: MeasureOptions) -> dict[str, Value]:
    """Means of (B, measures) draws of `size` pictures out of `smallest` or more, with their intervals.

    Draws of less than half of a sample deviate from the whole by more than that does from the truth, which is made up
    for; that the mean is one of a finite number of draws adds a little.
    """
    errors = drawn.std(ddof=1) * np.sqrt(size / (smallest - size) + 1 / len(drawn))
    half_widths = stats.norm.ppf((1 + options.confidence) / 2) * errors
    return {
        name: {
            "mean": float(mean),
            "low": float(mean - half_widths[name]),
            "high": float(mean + half_widths[name]),
            "images": size,
        }
        for name, mean in drawn.mean().items()
    }


def _in_range(values: dict[str, Value]) -> dict[str, Value]:
    return {
        name: value | {"low": max(value["low"], MEASURES[name].low), "high": min(value["high"], MEASURES[name].high)}
        for name, value in values.items()
    }


def _frechet_distances(pictures: Pictures, fewest: int, seed: int) -> dict[str, Value]:
    """Of one draw as large as the sets allow; the floor needs twice as many real pictures as the others."""
    counts = pictures.counts
    if min(counts[REAL], counts[MADE]) < fewest:
        return {}
    from diffaug_pipeline.measures.frechet import frechet_distance  # torchmetrics, which loads matplotlib, is slow

    sets = [name for name in (MADE, ACCEPTED) if counts[name] >= fewest]
    with_floor = counts[REAL] // 2 >= fewest
    size = min(counts[REAL] // (1 + with_floor), *(counts[name] for name in sets))
    reference, drawn = _draw(pictures, size, np.random.default_rng(seed))
    return {
        name: {"mean": frechet_distance(reference, drawn[name]), "low": None, "high": None, "images": size}
        for name in ([REAL] if with_floor else []) + sets
    }
