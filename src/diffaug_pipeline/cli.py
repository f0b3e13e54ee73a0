"""Commands of the project: `kedro run`, which is Kedro's with a run id, and those of `commands`.

`--run-id` names the version of everything a run writes, `--resume` finishes an interrupted run.
"""

from importlib import import_module
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run

from diffaug_pipeline.commands.opening import told_in_a_sentence
from diffaug_pipeline.session import requested_run_id

COMMANDS = {
    "app": "diffaug_pipeline.commands.app",
    "doctor": "diffaug_pipeline.commands.doctor",
    "runs": "diffaug_pipeline.commands.runs",
    "schedules": "diffaug_pipeline.commands.schedules",
    "versions": "diffaug_pipeline.commands.versions",
}
"""The module of each command, which calls the command by the same name."""


class CommandGroup(click.Group):
    """Loads a command when it is called or described, so that none waits for what another needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all."""
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`, loaded now."""
        if cmd_name in COMMANDS:
            return getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        return super().get_command(ctx, cmd_name)


@click.group(name="diffaug_pipeline", cls=CommandGroup)
def cli() -> None:
    """Commands of this project."""


@cli.command(params=kedro_run.params)
@click.option("--run-id", type=str, default=None, help="Version id of everything this run writes; default: the time.")
@click.option("--resume", type=str, default=None, help="Finish the run with this id; `last` is the latest one.")
def run(run_id: str | None, resume: str | None, **options: Any) -> dict[str, Any]:
    """Run the pipeline."""
    if run_id and resume:
        raise click.ClickException("--run-id and --resume both name the run; give one of them.")
    with told_in_a_sentence():
        if resume:
            from diffaug_pipeline.resume import options_of_run

            run_id, options = options_of_run(resume, options)
        token = requested_run_id.set(run_id)
        try:
            return kedro_run.callback(**options)
        finally:
            requested_run_id.reset(token)
