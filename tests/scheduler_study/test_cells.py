import inspect

import pytest
import torch
from scheduler_study.scheduler_cases import study_options

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.scheduler_study.cells import Cell, equal_pairs, long_run_cell, study_cells
from diffaug_pipeline.synthesis.schedulers import SOLVERS, build_scheduler

BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}


def test_eta_multiplies_only_the_cells_of_schedulers_that_take_it():
    cells = study_cells(study_options(schedulers=["euler", "ddim"], equal_evaluations=None))
    assert [cell.name for cell in cells] == [
        *("euler, 2 steps", "euler, 4 steps"),
        *("ddim, eta 0, 2 steps", "ddim, eta 0, 4 steps", "ddim, eta 1, 2 steps", "ddim, eta 1, 4 steps"),
    ]


def test_each_count_of_evaluations_is_met_by_both_schedulers_compared():
    study = study_options(schedulers=["euler"], num_inference_steps=[5, 10])
    pairs = equal_pairs(study)
    assert [(first.name, second.name) for first, second in pairs] == [
        ("pndm, 4 steps", "ddim, eta 0, 5 steps"),
        ("pndm, 9 steps", "ddim, eta 0, 10 steps"),
    ]
    assert all(first.model_evaluations == second.model_evaluations for first, second in pairs)
    cells = study_cells(study)
    assert {cell for pair in pairs for cell in pair} < set(cells)
    assert len({cell.name for cell in cells}) == len(cells)


def test_counts_that_one_scheduler_cannot_meet_are_left_out_unless_there_is_no_other():
    compared = {"scheduler": "heun", "against": "ddim"}
    pairs = equal_pairs(study_options(num_inference_steps=[4, 5], equal_evaluations=compared))
    assert [(first.name, second.name) for first, second in pairs] == [("heun, 3 steps", "ddim, eta 0, 5 steps")]
    with pytest.raises(ParameterError, match="no number of steps makes heun evaluate the model as often as ddim"):
        study_cells(study_options(num_inference_steps=[4, 6], equal_evaluations=compared))


def test_a_long_run_that_would_add_noise_is_refused():
    with pytest.raises(ParameterError, match="scheduler is ddpm, which adds fresh noise in every step; the long"):
        long_run_cell(study_options(long_run={"scheduler": "ddpm", "num_inference_steps": 9}))


def test_the_long_run_adds_no_noise():
    assert not long_run_cell(study_options(long_run={"scheduler": "ddim", "num_inference_steps": 9})).is_stochastic


def final_sample(name: str, eta: float | None, noise_seed: int) -> torch.Tensor:
    """What six steps make of the same start with a model that predicts a share of what it sees."""
    scheduler = build_scheduler(name, BETAS, 6)
    scheduler.set_timesteps(6)
    sample = torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(7)) * scheduler.init_noise_sigma
    accepted = inspect.signature(scheduler.step).parameters
    extra = {} if eta is None else {"eta": eta}
    if "generator" in accepted:
        extra["generator"] = torch.Generator().manual_seed(noise_seed)
    for timestep in scheduler.timesteps:
        seen = scheduler.scale_model_input(sample, timestep)
        sample = scheduler.step(0.9 * seen, timestep, sample, **extra).prev_sample
    return sample


@pytest.mark.parametrize(
    ("name", "eta"),
    [
        (name, eta)
        for name, solver in SOLVERS.items()
        if "flow" not in solver.predictions
        for eta in ([0.0, 1.0] if solver.has_eta else [None])
    ],
)
def test_samplers_are_called_stochastic_if_other_noise_makes_another_picture(name, eta):
    repeated, other = final_sample(name, eta, 0), final_sample(name, eta, 1)
    assert torch.equal(repeated, final_sample(name, eta, 0))
    assert torch.equal(repeated, other) != Cell(name, eta, 6).is_stochastic
