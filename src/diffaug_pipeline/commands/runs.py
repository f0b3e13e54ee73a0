"""`kedro runs`: which runs there are, what each came to, and how two of them differ."""

from typing import TYPE_CHECKING

import click

from diffaug_pipeline.commands.opening import opens_project

if TYPE_CHECKING:
    from diffaug_pipeline.history.reading import History
    from diffaug_pipeline.project import Project


class ListedByDefault(click.Group):
    """A group that lists where no subcommand is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`kedro runs --limit 5` means `kedro runs ls --limit 5`."""
        named = args and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["ls", *args])


@click.group(cls=ListedByDefault)
def runs() -> None:
    """List runs, newest first; look at one, compare two."""


@runs.command()
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Show so many at most.")
@click.option("--task", type=str, default=None, help="Only runs that worked on it, e.g. classification.")
@opens_project
def ls(project: "Project", limit: int, task: str | None) -> None:
    """List runs, newest first, with verdicts and cost."""
    from diffaug_pipeline.history.text import list_runs

    history = _read(project)
    chosen = [run for run in history.runs if task is None or task in run.results]
    if not chosen:
        click.echo(f"no run{f' on {task}' * (task is not None)} is recorded in {project.data_root}.")
        return
    click.echo("\n".join(list_runs(chosen[:limit], task)))
    if len(chosen) > limit:
        click.echo(f"\n{limit} of {len(chosen):,} runs; --limit shows more.")


@runs.command()
@click.argument("run")
@opens_project
def show(project: "Project", run: str) -> None:
    """Show one run by its id, or `last`: attempts, findings, time, what was written."""
    from diffaug_pipeline.history.reading import places_of
    from diffaug_pipeline.history.text import describe_run

    chosen = _read(project).find(run)
    click.echo("\n".join(describe_run(chosen, places_of(chosen, project.artifact))))


@runs.command()
@click.argument("first")
@click.argument("second")
@opens_project
def compare(project: "Project", first: str, second: str) -> None:
    """Show two runs side by side, by their ids, or `last` and `previous`."""
    from diffaug_pipeline.history.reading import warn_of_test_images
    from diffaug_pipeline.history.text import compare_runs

    history = _read(project)
    one, other = history.find(first), history.find(second)
    click.echo("\n".join(compare_runs(one, other, warn_of_test_images(one, other, project.load))))


def _read(project: "Project") -> "History":
    from diffaug_pipeline.history.reading import read_history

    history = read_history(project.artifact)
    for sentence in history.damaged:
        click.echo(sentence, err=True)
    return history
