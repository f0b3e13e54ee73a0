"""`kedro schedules`: what runs when, and whoever is to see to it: cron, systemd or Dagster."""

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from diffaug_pipeline.commands.opening import opens_project
from diffaug_pipeline.errors import ParameterError

if TYPE_CHECKING:
    from diffaug_pipeline.project import Project
    from diffaug_pipeline.scheduling.options import Schedule

TIMES_SHOWN = 3


@click.group()
def schedules() -> None:
    """Run pipelines at the times that conf/<env>/schedules.yml says."""


@schedules.command()
@opens_project
def ls(project: "Project") -> None:
    """List schedules: when they run next, and how their last runs went."""
    from diffaug_pipeline.history.reading import read_history
    from diffaug_pipeline.scheduling.running import last_run

    history = read_history(project.artifact)
    for name, schedule in _read(project).items():
        times = islice(schedule.when.times(datetime.now(UTC), schedule.zone), TIMES_SHOWN)
        last = last_run(name, history.runs)
        click.echo(f"{name}: {', '.join(schedule.pipelines)} at {schedule.cron} ({schedule.timezone})")
        click.echo(f"  next: {', '.join(f'{moment:%a %Y-%m-%d %H:%M}' for moment in times)}")
        click.echo(f"  last: {'none' if last is None else f'{last.run_id}, {last.status}'}")


@schedules.command()
@click.argument("name")
@opens_project
def run(project: "Project", name: str) -> None:
    """Run a schedule now; what its last run left unfinished is finished first.

    Exits with 1 where the run failed; with 0 where it finished, or is skipped as one is still going on.
    """
    from diffaug_pipeline.scheduling.running import run_now

    if not run_now(project, name, _choose(project, name), tell=click.echo):
        raise SystemExit(1)


@schedules.command()
@opens_project
def cron(project: "Project") -> None:
    """Print lines for a crontab.

    Nothing else in it: kedro schedules cron | crontab -

    Among others: (crontab -l | grep -v 'kedro schedules run'; kedro schedules cron) | crontab -
    """
    from diffaug_pipeline.scheduling.units import crontab

    for line in crontab(project, _read(project), datetime.now(UTC)):
        click.echo(line)


@schedules.command()
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), required=True, help="~/.config/systemd/user")
@opens_project
def systemd(project: "Project", into: Path) -> None:
    """Write a service and a timer for each schedule."""
    from diffaug_pipeline.scheduling.units import write_units

    timers = write_units(project, _read(project), into.expanduser())
    click.echo(f"{len(timers)} timers and their services are in {into}; start them with")
    click.echo(f"systemctl --user daemon-reload && systemctl --user enable --now {' '.join(t.name for t in timers)}")


@schedules.command()
@click.option("--port", type=click.IntRange(1, 65_535), default=3000, show_default=True)
@opens_project
def start(project: "Project", port: int) -> None:
    """Run schedules from now on, by Dagster, with a page for this machine alone; Ctrl-C ends both."""
    from diffaug_pipeline.scheduling.server import serve

    _read(project)
    serve(project, port, announce=lambda page: click.echo(f"open {page} in some seconds (Ctrl-C ends all)"))


def _read(project: "Project") -> "dict[str, Schedule]":
    from kedro.framework.project import pipelines

    from diffaug_pipeline.scheduling.options import read_schedules

    return read_schedules(project.configuration("schedules"), pipelines.keys())


def _choose(project: "Project", name: str) -> "Schedule":
    known = _read(project)
    if name not in known:
        raise ParameterError(f"there is no schedule {name!r}; there are {', '.join(known) or 'none'}.")
    return known[name]
