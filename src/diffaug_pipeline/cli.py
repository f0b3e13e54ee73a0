"""Commands of the project.

`kedro run` with a run id: `--run-id` names the version of all artifacts, `--resume` finishes an interrupted run.
`kedro app`: a page to try generators, decide about images and look at runs.
"""

import os
from importlib.util import find_spec
from typing import Any

import click
from kedro.config import MissingConfigException
from kedro.framework.cli.project import run as kedro_run

from diffaug_pipeline.errors import DiffaugError, MissingPackageError
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
    except MissingConfigException as error:
        raise click.ClickException(
            f"{error}; check --env, and run where the folder conf is, or name it with --conf-source."
        ) from error
    except Exception as error:
        if explained := _explained(error):
            raise click.ClickException(str(explained)) from error
        raise


@cli.command(params=[option for option in kedro_run.params if option.name in ("env", "conf_source", "params")])
@click.option("--port", type=click.IntRange(1, 65_535), default=None, help="Default: the first free one from 7860.")
def app(env: str | None, conf_source: str | None, params: dict[str, Any], port: int | None) -> None:
    """Open a page to try generators, decide about images and look at runs; for this machine alone."""
    try:
        if find_spec("gradio") is None:
            raise MissingPackageError(
                "the app needs Gradio, which is not installed: pip install 'diffaug_pipeline[app]'."
            )
        os.environ["HF_HUB_OFFLINE"] = "1"  # nothing is asked of other machines; only runs fetch models
        from diffaug_pipeline.app.context import AppContext
        from diffaug_pipeline.app.server import serve

        context = AppContext(env, conf_source, params)
        serve(context, port, announce=lambda address: click.echo(f"open {address} (Ctrl-C ends it)"))
    except DiffaugError as error:
        raise click.ClickException(str(error)) from error


def _explained(error: BaseException | None) -> DiffaugError | None:
    """The error of ours behind `error`: it says what to do, so nobody needs the traceback."""
    while error is not None:
        if isinstance(error, DiffaugError):
            return error
        error = error.__cause__ or error.__context__
    return None
