"""What follows from the figures: a cell for each budget, two schedulers at equal cost. Small differences are ties."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from diffaug_pipeline.evaluation.intervals import Interval
from diffaug_pipeline.evaluation.kernel_distance import KernelDistance, difference
from diffaug_pipeline.scheduler_study.cells import LONG_RUN, equal_pairs
from diffaug_pipeline.scheduler_study.options import SchedulerStudyOptions

Outcome = Literal["better", "worse", "undecided"]


@dataclass(frozen=True)
class Choice:
    """What a budget of model evaluations per image is best spent on."""

    budget: int
    best: str
    """The cell of the lowest kid within the budget."""
    ties: list[str]
    """The cells within the budget that it cannot be told from, itself among them; fewest evaluations first."""
    enough: str
    """The first of them on the Pareto front: the best for its own number of evaluations, too."""
    nearest: str
    """The cell within the budget whose pictures come nearest to those of the long run."""


@dataclass(frozen=True)
class Duel:
    """Two cells that evaluate the model equally often; a difference is that of the first minus the second."""

    model_evaluations: int
    first: str
    second: str
    kid: Interval
    distance: Interval

    @property
    def by_kid(self) -> Outcome:
        """How the first's pictures compare as a sample of pictures."""
        return _outcome(self.kid)

    @property
    def by_distance(self) -> Outcome:
        """How the first compares in coming near the long run's picture."""
        return _outcome(self.distance)


def choose_for_budgets(
    summary: pd.DataFrame, kernel_distances: pd.DataFrame, study: SchedulerStudyOptions
) -> list[Choice]:
    """One choice for each of `study.budgets` that is enough for some cell, ascending."""
    ordered = summary[summary["cell"] != LONG_RUN].sort_values(["model_evaluations", "kid"])
    affordable = {budget: ordered[ordered["model_evaluations"] <= budget] for budget in sorted(study.budgets)}
    return [
        _choose(budget, cells, _by_cell(kernel_distances), _width(study))
        for budget, cells in affordable.items()
        if len(cells)
    ]


def _choose(budget: int, cells: pd.DataFrame, distances: dict[str, KernelDistance], width: float) -> Choice:
    best = cells.loc[cells["kid"].idxmin(), "cell"]
    is_tied = [_outcome(difference(distances[cell], distances[best], width)) == "undecided" for cell in cells["cell"]]
    ties = cells[is_tied]
    return Choice(
        budget=budget,
        best=best,
        ties=ties["cell"].tolist(),
        enough=ties.loc[ties["is_on_front"], "cell"].iloc[0],
        nearest=cells.loc[cells["distance"].idxmin(), "cell"],
    )


def compare_at_equal_evaluations(
    scores: pd.DataFrame, kernel_distances: pd.DataFrame, study: SchedulerStudyOptions
) -> list[Duel]:
    """The two schedulers of `study.equal_evaluations`, fewest evaluations first; empty where that is null."""
    distances, width = _by_cell(kernel_distances), _width(study)
    to_long_run = scores.pivot(index="draw", columns="cell", values="distance")
    return [
        Duel(
            first.model_evaluations,
            first.name,
            second.name,
            difference(distances[first.name], distances[second.name], width),
            _mean_interval((to_long_run[first.name] - to_long_run[second.name]).to_numpy(), width),
        )
        for first, second in equal_pairs(study)
    ]


def describe_outcomes(duels: list[Duel], measure: Literal["kid", "distance"]) -> str:
    """How the first of the two schedulers did in one or more `duels`, in words.

    >>> clear, open_ = Interval(-0.2, -0.3, -0.1), Interval(0.0, -0.1, 0.1)
    >>> duels = [Duel(n, "pndm", "ddim", kid, open_) for n, kid in ((6, open_), (11, clear), (21, clear))]
    >>> describe_outcomes(duels, "kid"), describe_outcomes(duels[:1], "kid")
    ('better at 11 and 21 evaluations, not to be told apart at 6', 'not to be told apart at 6 evaluations')
    """
    ends: dict[Outcome, list[int]] = {"better": [], "worse": [], "undecided": []}
    for duel in duels:
        ends[duel.by_kid if measure == "kid" else duel.by_distance].append(duel.model_evaluations)
    words = {"better": "better", "worse": "worse", "undecided": "not to be told apart"}
    first, *others = (f"{words[end]} at {_listed(evaluations)}" for end, evaluations in ends.items() if evaluations)
    return ", ".join([f"{first} evaluations", *others])


def _by_cell(kernel_distances: pd.DataFrame) -> dict[str, KernelDistance]:
    return {row.cell: KernelDistance(row.kid, np.asarray(row.over_halves)) for row in kernel_distances.itertuples()}


def _width(study: SchedulerStudyOptions) -> float:
    """Standard errors on each side of an interval."""
    return float(stats.norm.ppf((1 + study.confidence) / 2))


def _mean_interval(values: np.ndarray, width: float) -> Interval:
    mean, half_width = float(values.mean()), width * float(stats.sem(values))
    return Interval(mean, mean - half_width, mean + half_width)


def _outcome(interval: Interval) -> Outcome:
    """Of a loss, which is better where it is smaller."""
    return "better" if interval.high < 0 else "worse" if interval.low > 0 else "undecided"


def _listed(numbers: list[int]) -> str:
    *others, last = map(str, numbers)
    return f"{', '.join(others)} and {last}" if others else last
