"""One row per cell: what it costs and how good its pictures are."""

import numpy as np
import pandas as pd

from diffaug_pipeline.scheduler_study.cells import LONG_RUN, Cell, long_run_cell, study_cells
from diffaug_pipeline.scheduler_study.options import SchedulerStudyOptions


def summarize_cells(scores: pd.DataFrame, kernel_distances: pd.DataFrame, study: SchedulerStudyOptions) -> pd.DataFrame:
    """The table of the study, in the order of `study_cells`, the long run last.

    Columns: `cell`, `sampler` (scheduler and eta), `is_stochastic`, `scheduler`, `eta`, `num_inference_steps`;
    `model_evaluations` per image; `images`; `kid` and its standard error `kid_error`; means over images `clip_score`,
    `agrees`, `distance`, `similarity` (see `score_images`) with standard errors `clip_score_error` and so on;
    `is_on_front`: no other cell has a lower kid for as many evaluations or fewer. The long run is on no front.
    """
    cells = {cell.name: cell for cell in study_cells(study)} | {LONG_RUN: long_run_cell(study)}
    described = pd.DataFrame([_describe(name, cell) for name, cell in cells.items()])
    errors = kernel_distances.assign(kid_error=[np.std(values, ddof=1) for values in kernel_distances["over_halves"]])
    summary = described.merge(_means(scores), on="cell").merge(errors.drop(columns="over_halves"), on="cell")
    candidates = summary["cell"] != LONG_RUN
    summary["is_on_front"] = False
    summary.loc[candidates, "is_on_front"] = pareto_front(
        summary.loc[candidates, "model_evaluations"].to_numpy(), summary.loc[candidates, "kid"].to_numpy()
    )
    return summary


def pareto_front(costs: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """(N,) whether no other point costs no more and loses no more, and one of both less.

    >>> pareto_front(np.array([5, 5, 10, 20]), np.array([0.3, 0.2, 0.2, 0.1])).tolist()
    [False, True, False, True]
    """
    no_worse = (costs[:, None] <= costs) & (losses[:, None] <= losses)
    better = (costs[:, None] < costs) | (losses[:, None] < losses)
    return ~(no_worse & better).any(0)


def _describe(name: str, cell: Cell) -> dict[str, object]:
    return {
        "cell": name,
        "sampler": cell.sampler,
        "is_stochastic": cell.is_stochastic,
        "scheduler": cell.scheduler,
        "eta": cell.eta,
        "num_inference_steps": cell.num_inference_steps,
        "model_evaluations": cell.model_evaluations,
    }


def _means(scores: pd.DataFrame) -> pd.DataFrame:
    by_cell = scores.groupby("cell", sort=False)
    columns = {"images": by_cell.size()}
    for measure in ("clip_score", "agrees", "distance", "similarity"):
        columns[measure], columns[f"{measure}_error"] = by_cell[measure].mean(), by_cell[measure].sem()
    return pd.DataFrame(columns).reset_index()
