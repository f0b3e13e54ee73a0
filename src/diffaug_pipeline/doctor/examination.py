"""The whole examination, from the machine to earlier runs; whatever goes wrong in it is a finding."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import wrap

from kedro.validation.exceptions import ParameterValidationError

from diffaug_pipeline.doctor.finding import Check, Finding, examine, problem_of
from diffaug_pipeline.doctor.hardware import check_accelerators, check_memory, check_processor
from diffaug_pipeline.doctor.ledger import check_clock, check_unfinished
from diffaug_pipeline.doctor.models import Hub
from diffaug_pipeline.doctor.software import check_extras, check_libraries, check_python, check_telemetry
from diffaug_pipeline.doctor.storage import check_folder, check_staging
from diffaug_pipeline.doctor.task import Task
from diffaug_pipeline.history.reading import read_history
from diffaug_pipeline.project import Project
from diffaug_pipeline.session import RUN_RECORD
from diffaug_pipeline.versions.store import Store
from diffaug_pipeline.wrong_parameters import WHAT_TO_DO, describe_wrong_parameters

WIDTH = 100
OF_THE_MACHINE: dict[str, Check] = {
    "Python": check_python,
    "libraries": check_libraries,
    "extras": check_extras,
    "processor": check_processor,
    "accelerators": check_accelerators,
    "memory": check_memory,
}


def examine_all(
    open_project: Callable[[], Project], tasks: Sequence[str], hub_use: Hub, *, load: bool
) -> Iterator[tuple[str, Finding]]:
    """Findings behind their subjects. Models are loaded only if `load` says so.

    Nothing is asked of the hub unless `hub_use` is `asked`; for anything else the variable `HF_HUB_OFFLINE` has to be
    set before huggingface_hub is imported.
    """
    yield from examine(OF_THE_MACHINE)
    try:
        project = open_project()
    except ParameterValidationError as error:
        for sentence in describe_wrong_parameters(error):
            yield "parameters", Finding("problem", sentence, WHAT_TO_DO)
        return
    except Exception as error:
        yield "project", problem_of(error)
        return
    yield "parameters", Finding("ok", f"every block of environment {project.env or 'local'} is valid")
    for task in tasks:
        yield from examine(Task(project, task, hub_use, load).checks())
    yield from examine(_of_the_project(project))


def _of_the_project(project: Project) -> dict[str, Check]:
    records = project.artifact(RUN_RECORD)
    return {
        "data folder": lambda: check_folder(project.data_root),
        "staging": lambda: check_staging(Store(project)),
        "runs": lambda: check_unfinished(read_history(project.artifact), records),
        "clock": lambda: check_clock(read_history(project.artifact), records),
        "telemetry": lambda: check_telemetry(Path(project.folder)),
    }


def show(subject: str, finding: Finding) -> list[str]:
    """A finding as lines of text, the advice on one of its own where it fits.

    >>> show("memory", Finding("advice", "1 GB is free", "close other programs."))
    ['advice   memory: 1 GB is free', '         -> close other programs.']
    """
    says = f"{finding.level:<8} {subject}: {finding.says}"
    lines = [line for told in says.splitlines() for line in wrap(told, WIDTH, subsequent_indent=9 * " ")]
    if finding.advice is None:
        return lines
    return lines + wrap(f"-> {finding.advice}", WIDTH, initial_indent=9 * " ", subsequent_indent=12 * " ")
