import numpy as np
import pandas as pd
import pytest
from scheduler_study.scheduler_cases import study_options
from scipy import stats

from diffaug_pipeline.scheduler_study.choices import choose_for_budgets, compare_at_equal_evaluations, describe_outcomes
from diffaug_pipeline.scheduler_study.summary import summarize_cells

WOBBLE = np.array([-1.0, 0.0, 1.0] * 4)
"""What halves have in common whatever the cell."""


def tables(kid: dict[str, float], jitter: float = 0.001) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores and kernel distances of cells that vary much together over halves, and by `jitter` on their own."""
    rng = np.random.default_rng(0)
    rows = [(cell, value, value + WOBBLE + jitter * rng.normal(size=12)) for cell, value in kid.items()]
    scores = pd.DataFrame(
        [
            {
                "cell": cell,
                "draw": draw,
                "clip_score": 1.0,
                "agrees": 1.0,
                "distance": value + draw / 100,
                "similarity": 1,
            }
            for cell, value in kid.items()
            for draw in range(5)
        ]
    )
    return scores, pd.DataFrame(rows, columns=["cell", "kid", "over_halves"])


KID = {
    "ddim, eta 0, 3 steps": 0.5,
    "ddim, eta 0, 5 steps": 0.3,
    "pndm, 2 steps": 0.8,
    "pndm, 4 steps": 0.1,
    "pndm, 3 steps": 0.3001,
    "pndm, 5 steps": 0.1001,
    "long run": 0.0,
}
OPTIONS = study_options(
    schedulers=["ddim", "pndm"], num_inference_steps=[3, 5], etas=[0.0], budgets=[2, 4, 9], halves=12
)


def test_a_budget_buys_the_lowest_distance_and_what_cannot_be_told_from_it():
    scores, distances = tables(KID)
    four, nine = choose_for_budgets(summarize_cells(scores, distances, OPTIONS), distances, OPTIONS)
    assert (four.budget, four.best, four.ties) == (4, "pndm, 3 steps", ["pndm, 3 steps"])
    assert (nine.budget, nine.best) == (9, "pndm, 4 steps")
    assert nine.ties == ["pndm, 4 steps", "pndm, 5 steps"]
    assert nine.enough == "pndm, 4 steps"
    assert nine.nearest == "pndm, 4 steps"


def test_with_noisier_halves_more_cells_are_tied_and_the_cheapest_of_the_front_is_enough():
    scores, distances = tables(KID, jitter=1.0)
    summary = summarize_cells(scores, distances, OPTIONS)
    *_, nine = choose_for_budgets(summary, distances, OPTIONS)
    assert nine.best == "pndm, 4 steps"
    assert nine.ties[0] == "ddim, eta 0, 3 steps"
    assert nine.enough == summary.loc[summary["is_on_front"]].sort_values("model_evaluations")["cell"].iloc[0]


def test_the_long_run_is_never_chosen():
    scores, distances = tables(KID)
    rich = OPTIONS.model_copy(update={"budgets": [1_000]})
    (choice,) = choose_for_budgets(summarize_cells(scores, distances, rich), distances, rich)
    assert "long run" not in (choice.best, choice.nearest, *choice.ties)


def test_duels_compare_at_equal_evaluations_with_paired_intervals():
    scores, distances = tables(KID)
    scores["distance"] += np.random.default_rng(1).normal(size=len(scores)) / 100
    three, five = compare_at_equal_evaluations(scores, distances, OPTIONS)
    assert (three.model_evaluations, three.first, three.second) == (3, "pndm, 2 steps", "ddim, eta 0, 3 steps")
    assert (three.by_kid, five.by_kid) == ("worse", "better")
    first, second = (scores.loc[scores["cell"] == cell, "distance"].to_numpy() for cell in (five.first, five.second))
    assert five.distance.mean == pytest.approx((first - second).mean())
    expected = stats.norm.interval(0.95, (first - second).mean(), stats.sem(first - second))
    assert (five.distance.low, five.distance.high) == pytest.approx(expected)
    assert describe_outcomes([three, five], "kid") == "better at 5 evaluations, worse at 3"


def test_without_schedulers_to_compare_there_are_no_duels():
    scores, distances = tables(KID)
    assert compare_at_equal_evaluations(scores, distances, OPTIONS.model_copy(update={"equal_evaluations": None})) == []
