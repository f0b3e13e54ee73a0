"""The cells of the study: a scheduler, its steps and, where it takes one, its eta."""

from dataclasses import dataclass
from functools import cached_property

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.scheduler_study.options import SchedulerStudyOptions
from diffaug_pipeline.synthesis.schedulers import SOLVERS, SchedulerName, model_evaluations

LONG_RUN = "long run"
"""Name of the cell that the others approximate."""


@dataclass(frozen=True)
class Cell:
    """One way to turn noise into a picture."""

    scheduler: SchedulerName
    eta: float | None
    num_inference_steps: int

    @property
    def sampler(self) -> str:
        """The scheduler and its eta, without the steps.

        >>> Cell("ddim", 1.0, 20).sampler, Cell("euler", None, 20).sampler
        ('ddim, eta 1', 'euler')
        """
        return self.scheduler if self.eta is None else f"{self.scheduler}, eta {self.eta:g}"

    @property
    def name(self) -> str:
        """Unique within a study.

        >>> Cell("ddim", 1.0, 20).name
        'ddim, eta 1, 20 steps'
        """
        return f"{self.sampler}, {self.num_inference_steps} steps"

    @property
    def is_stochastic(self) -> bool:
        """Whether fresh noise is added on the way, so that no solution is approximated."""
        return bool(self.eta) or SOLVERS[self.scheduler].adds_noise

    @cached_property
    def model_evaluations(self) -> int:
        """Calls of the denoiser per image."""
        return model_evaluations(self.scheduler, self.num_inference_steps)


def study_cells(study: SchedulerStudyOptions) -> list[Cell]:
    """All cells but the long run: scheduler by scheduler, with less noise first, then with fewer steps."""
    pairs = equal_pairs(study)
    cells = {
        Cell(scheduler, eta, steps)
        for scheduler in study.schedulers
        for eta in (study.etas if SOLVERS[scheduler].has_eta else [None])
        for steps in study.num_inference_steps
    }
    cells.update(cell for pair in pairs for cell in pair)
    order = [*study.schedulers, *(cell.scheduler for pair in pairs for cell in pair)]
    return sorted(cells, key=lambda cell: (order.index(cell.scheduler), cell.eta or 0.0, cell.num_inference_steps))


def long_run_cell(study: SchedulerStudyOptions) -> Cell:
    """What the others approximate. Raises `ParameterError` for a scheduler that adds noise and so has no solution."""
    cell = _without_noise(study.long_run.scheduler, study.long_run.num_inference_steps)
    if cell.is_stochastic:
        fitting = [name for name, solver in SOLVERS.items() if not solver.adds_noise]
        raise ParameterError(
            f"study.long_run.scheduler is {cell.scheduler}, which adds fresh noise in every step; the long run needs "
            f"one that approaches a solution: {', '.join(fitting)}."
        )
    return cell


def equal_pairs(study: SchedulerStudyOptions) -> list[tuple[Cell, Cell]]:
    """Cells of the two schedulers of `study.equal_evaluations` that evaluate the model equally often.

    One pair for each of `study.num_inference_steps` of the second for which the first has its like; where eta decides
    neither adds noise. Raises `ParameterError` where there is none.
    """
    compared = study.equal_evaluations
    if compared is None:
        return []
    others = [_without_noise(compared.against, steps) for steps in study.num_inference_steps]
    pairs = [(first, second) for second in others for first in _as_often(compared.scheduler, second)]
    if not pairs:
        raise ParameterError(
            f"study.equal_evaluations: no number of steps makes {compared.scheduler} evaluate the model as often as "
            f"{compared.against} does with {', '.join(map(str, study.num_inference_steps))} steps; choose other "
            "schedulers or steps, or set it to null."
        )
    return pairs


def _as_often(scheduler: SchedulerName, other: Cell) -> list[Cell]:
    """The cell of `scheduler` with as many evaluations, if there is one; steps never outnumber them."""
    cells = [_without_noise(scheduler, steps + 1) for steps in range(other.model_evaluations)]
    return [cell for cell in cells if cell.model_evaluations == other.model_evaluations][:1]


def _without_noise(scheduler: SchedulerName, steps: int) -> Cell:
    return Cell(scheduler, 0.0 if SOLVERS[scheduler].has_eta else None, steps)
