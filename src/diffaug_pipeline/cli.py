"""`kedro run` with a run id: `--run-id` names the version of all artifacts, `--resume` finishes an interrupted run."""

from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run

from diffaug_pipeline.errors import DiffaugError
from diffaug_pipeline.session import requested_run_id


@click.group(name="diffaug_pipeline")
def cli() -> None:
    """Commands of this project."""


@cli.command(params=kedro_run.params)
@click.option("--run-id", type=str, default=None, help="Version id of everything this run writes; default: the time.")
@click.option("--resume", type=str, default=None, help="Finish the run with this id; `last` is the latest one.")
def run(run_id: str | None, resume: str | None, **options: Any) -> dict[str, Any]:
    """Run the pipeline."""
    if run_id and resume:
        raise click.ClickException("--run-id and --resume both name the run; give one of them.")
    try:
        if resume:
            from diffaug_pipeline.resume import options_of_run

            run_id, options = options_of_run(resume, options)
        token = requested_run_id.set(run_id)
        try:
            return kedro_run.callback(**options)
        finally:
            requested_run_id.reset(token)
    except Exception as error:
        if explained := _explained(error):
            raise click.ClickException(str(explained)) from error
        raise


def _explained(error: BaseException | None) -> DiffaugError | None:
    """The error of ours behind `error`: it says what to do, so nobody needs the traceback."""
    while error is not None:
        if isinstance(error, DiffaugError):
            return error
        error = error.__cause__ or error.__context__
    return None
