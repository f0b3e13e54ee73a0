"""`kedro versions`: what runs have stored, whether it is as it was written, and room for more."""

import sys
from typing import TYPE_CHECKING

import click

from diffaug_pipeline.commands.opening import opens_project
from diffaug_pipeline.errors import VersionError

if TYPE_CHECKING:
    from diffaug_pipeline.project import Project


@click.group()
def versions() -> None:
    """See what runs have stored, check it, and delete what is no longer needed."""


@versions.command()
@click.option("--artifact", type=str, default=None, help="Only versions of it, e.g. classification.synthetic_images.")
@click.option("--run", "run_id", type=str, default=None, help="Only versions of this run; `last` is the newest.")
@opens_project
def ls(project: "Project", artifact: str | None, run_id: str | None) -> None:
    """List runs with their size, or the versions of one run or one artifact."""
    from diffaug_pipeline.versions.store import Store
    from diffaug_pipeline.versions.text import list_runs, list_versions

    store = Store(project)
    if artifact is None and run_id is None:
        lines = list_runs(store)
    else:
        lines = list_versions(store, store.find(artifact, run_id))
    click.echo("\n".join(lines))


@versions.command()
@click.argument("run_id", metavar="RUN")
@click.argument("artifact", required=False)
@opens_project
def show(project: "Project", run_id: str, artifact: str | None) -> None:
    """Show all that RUN (`last` is the newest) has stored, or one ARTIFACT of it: sizes, checksums, what needs what."""
    from diffaug_pipeline.versions.store import Store
    from diffaug_pipeline.versions.text import describe_run, describe_version

    store = Store(project)
    found = store.find(artifact, run_id)
    if artifact is None:
        lines = describe_run(store, found[0].run_id)
    else:
        lines = [line for version in found for line in describe_version(store, version)]
    click.echo("\n".join(lines))


@versions.command()
@click.option("--keep", type=click.IntRange(min=1), required=True, help="Number of newest runs that stay.")
@click.option("--with-reports", is_flag=True, help="Forget the runs: records, verdicts and reports go too.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@opens_project
def prune(project: "Project", keep: int, with_reports: bool, dry_run: bool, yes: bool) -> None:
    """Delete what old runs have stored, unless a run that stays has read it.

    Runs that are being run stay, and so does what an interrupted run that stays needs to go on.
    """
    from diffaug_pipeline.versions.pruning import plan_pruning
    from diffaug_pipeline.versions.pruning import prune as delete
    from diffaug_pipeline.versions.store import Store
    from diffaug_pipeline.versions.text import describe_pruning

    store = Store(project)
    planned = plan_pruning(store, keep, with_reports=with_reports)
    click.echo("\n".join(describe_pruning(planned, store)))
    if dry_run or not planned.is_needed:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("there is no terminal to ask on; give --yes to delete, or --dry-run.")
        click.confirm("Delete?", abort=True)
    delete(store, planned)
    click.echo("deleted.")


@versions.command()
@click.argument("run_id", metavar="RUN", default="last")
@click.option("--all", "all_runs", is_flag=True, help="Check every run.")
@opens_project
def verify(project: "Project", run_id: str, all_runs: bool) -> None:
    """Read every file that RUN (the newest, if none is named) has stored, and compare it with its checksum.

    Ends with 1 if a file is missing, has changed or does not belong there. Files of your own which are no longer what a
    run has read are listed, and are no error.
    """
    from diffaug_pipeline.versions.store import Store
    from diffaug_pipeline.versions.text import describe_verification
    from diffaug_pipeline.versions.verification import verify as compare

    store = Store(project)
    found = compare(store, None if all_runs else store.find_run(run_id))
    click.echo("\n".join(describe_verification(found)))
    if found.problems:
        raise VersionError("not all is as it was written; see above.")
