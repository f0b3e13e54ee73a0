"""`kedro run` with a run id: `--run-id` names the version of all artifacts, `--resume` finishes an interrupted run."""

from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import KedroCliError

from diffaug_pipeline.session import RunRequest, requested_run


@click.group(name="diffaug_pipeline")
def cli() -> None:
    """Commands of this project."""


@cli.command(params=kedro_run.params)
@click.option("--run-id", type=str, default=None, help="Version id of everything this run writes; default: the time.")
@click.option("--resume", type=str, default=None, help="Finish the run with this id; `last` is the latest one.")
def run(run_id: str | None, resume: str | None, **options: Any) -> dict[str, Any]:
    """Run the pipeline."""
    if run_id and resume:
        raise KedroCliError("--run-id and --resume both name the run; give one of them.")
    if resume:
        from diffaug_pipeline.resume import options_of_run

        run_id, options = options_of_run(resume, options)
    token = requested_run.set(RunRequest(run_id, resume=resume is not None))
    try:
        return kedro_run.callback(**options)
    finally:
        requested_run.reset(token)
