"""What is checked before a run begins, so that none ends after hours at a choice that was wrong from the start."""

from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from diffaug_pipeline.errors import DiffaugError, MissingPackageError, ParameterError

PLAN, SYNTHESIS = ".synthesis_plan", ".synthesis"


def check_choices(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Raises an error that names all that cannot be followed of parameters which are valid one by one."""
    problems: dict[str, DiffaugError] = {}
    for check in _checks(pipeline.inputs(), catalog):
        try:
            check()
        except DiffaugError as problem:
            problems.setdefault(str(problem), problem)
    if len(problems) == 1:
        raise next(iter(problems.values()))
    if problems:
        raise ParameterError("\n  ".join((f"{len(problems)} choices cannot be followed:", *problems)))


def check_generators(pipeline: Pipeline, catalog: DataCatalog, run_id: str) -> None:
    """Raises where a generator that run `run_id` has yet to plan with cannot be had, or not for what is asked of it."""
    for plan in sorted(name for name in pipeline.all_outputs() if name.endswith(PLAN)):
        if catalog.get(plan).has_version(run_id):
            continue
        from diffaug_pipeline.synthesis.checks import check_generator

        task = plan.removesuffix(PLAN)
        synthesis = catalog.load(f"params:{task}.synthesis")
        preset = catalog.load("params:generators").choose(synthesis.generator)
        check_generator(preset, synthesis.mode or _mode_of_strategy(catalog, task))


def _mode_of_strategy(catalog: DataCatalog, task: str) -> str:
    from diffaug_pipeline.labelling.strategy import choose_strategy

    return choose_strategy(catalog.load(f"params:{task}.labelling")).MODE


def _checks(used: set[str], catalog: DataCatalog) -> Iterator[Callable[[], None]]:
    """Those that concern a pipeline which uses these parameters."""
    for name in sorted(name for name in used if name.startswith("params:") and name.endswith(SYNTHESIS)):
        task = name.removesuffix(SYNTHESIS)
        yield partial(_check_strengths, catalog, task)
        if f"{task}.prompts" in used:
            yield partial(_check_vocabulary, catalog, task)
    if "params:detection.training" in used:
        yield _check_ultralytics
    if {"params:detection.labelling", "params:detection.filtering"} <= used:
        yield partial(_check_undeclared_objects, catalog)
    if {"params:detection.budget", "params:detection.labelling"} <= used:
        yield partial(_check_budget, catalog)
    if {"params:detection.training", "params:detection.merging"} <= used:
        yield partial(_check_loss_weight, catalog)


def _check_strengths(catalog: DataCatalog, task: str) -> None:
    synthesis = catalog.load(f"{task}{SYNTHESIS}")
    synthesis.check_strengths(catalog.load("params:generators").choose(synthesis.generator))


def _check_vocabulary(catalog: DataCatalog, task: str) -> None:
    vocabulary = catalog.load(f"{task}.prompts").vocabulary
    if vocabulary is None:
        preset = catalog.load("params:generators").choose(catalog.load(f"{task}{SYNTHESIS}").generator)
        vocabulary = preset.vocabulary
    catalog.load("params:vocabularies").choose(vocabulary)


def _check_ultralytics() -> None:
    if find_spec("ultralytics") is None:
        raise MissingPackageError(
            "detection needs Ultralytics, which is not installed; it is AGPL-3.0 and therefore an extra: pip install "
            "'diffaug_pipeline[detection]', or run --pipelines classification."
        )


def _check_undeclared_objects(catalog: DataCatalog) -> None:
    strategy = catalog.load("params:detection.labelling").strategy
    rules = catalog.load("params:detection.filtering").rules
    if strategy == "pseudo_labelling" and "undeclared_objects" not in rules:
        raise ParameterError(
            "with labelling.strategy pseudo_labelling a scene whose objects the detector overlooks would teach "
            "that they are background; add undeclared_objects to detection.filtering.rules."
        )


def _check_budget(catalog: DataCatalog) -> None:
    from diffaug_pipeline.labelling.plan import check_budget

    check_budget(catalog.load("params:detection.budget"), catalog.load("params:detection.labelling"))


def _check_loss_weight(catalog: DataCatalog) -> None:
    if catalog.load("params:detection.merging").policy == "loss_weight":
        raise ParameterError(
            "detection.merging.policy is loss_weight, but Ultralytics' loss knows no weights; use another policy."
        )
