import numpy as np
import pandas as pd
import pytest
from scheduler_study.scheduler_cases import study_options

from diffaug_pipeline.scheduler_study.cells import long_run_cell, study_cells
from diffaug_pipeline.scheduler_study.summary import pareto_front, summarize_cells


def test_one_row_per_cell_in_order_the_long_run_last(study):
    assert study.summary["cell"].tolist() == [*(cell.name for cell in study_cells(study.options)), "long run"]
    last = study.summary.iloc[-1]
    assert last["sampler"] == long_run_cell(study.options).sampler
    assert (last["distance"], last["images"], bool(last["is_on_front"])) == (0, 9, False)


def test_means_and_errors_are_those_of_the_images(study):
    row = study.summary.set_index("cell").loc["heun, 2 steps"]
    of_cell = study.scores[study.scores["cell"] == "heun, 2 steps"]
    assert row["clip_score"] == pytest.approx(of_cell["clip_score"].mean())
    assert row["clip_score_error"] == pytest.approx(np.std(of_cell["clip_score"], ddof=1) / 3)
    assert row["agrees"] == pytest.approx(of_cell.loc[~of_cell["is_extra"], "agrees"].mean())
    halves = study.kernel_distances.set_index("cell").loc["heun, 2 steps", "over_halves"]
    assert row["kid_error"] == pytest.approx(np.std(halves, ddof=1))
    assert row["model_evaluations"] == 3


def test_the_front_is_of_kid_and_the_long_run_cannot_push_a_cell_off_it():
    options = study_options(schedulers=["euler"], equal_evaluations=None)
    cells = ["euler, 2 steps", "euler, 4 steps", "long run"]
    scores = pd.DataFrame({"cell": cells * 2, "clip_score": 1.0, "agrees": np.nan, "distance": 0.1, "similarity": 1.0})

    def front(*kid: float) -> list[bool]:
        distances = pd.DataFrame({"cell": cells, "kid": kid, "over_halves": [np.arange(3.0)] * 3})
        return summarize_cells(scores, distances, options)["is_on_front"].tolist()

    assert front(0.2, 0.1, 0.0) == [True, True, False]
    assert front(0.1, 0.2, 0.0) == [True, False, False]


def test_the_front_agrees_with_a_walk_over_all_points():
    rng = np.random.default_rng(0)
    costs, losses = rng.integers(1, 8, 60), rng.integers(0, 12, 60) / 10
    walked = [
        not any(
            (costs[k], losses[k]) != (costs[n], losses[n]) and costs[k] <= costs[n] and losses[k] <= losses[n]
            for k in range(60)
        )
        for n in range(60)
    ]
    assert pareto_front(costs, losses).tolist() == walked
