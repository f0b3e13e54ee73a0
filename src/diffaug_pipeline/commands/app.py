"""`kedro app`: a page to try generators, decide about images and look at runs."""

import os
import signal
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from diffaug_pipeline.commands.opening import opens_project
from diffaug_pipeline.errors import MissingPackageError

if TYPE_CHECKING:
    from diffaug_pipeline.project import Project


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), default=None, help="Default: the first free one from 7860.")
@opens_project
def app(project: "Project", port: int | None) -> None:
    """Open a page to try, look and decide; for this machine alone."""
    if find_spec("gradio") is None:
        raise MissingPackageError("the app needs Gradio, which is not installed: pip install 'diffaug_pipeline[app]'.")
    os.environ["HF_HUB_OFFLINE"] = "1"  # nothing is asked of other machines; only runs fetch models
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with TemporaryDirectory(prefix="diffaug_app_") as uploads:
        os.environ["GRADIO_TEMP_DIR"] = uploads  # Gradio's own is everybody's on this machine, and stays
        from diffaug_pipeline.app.server import serve

        serve(project, port, announce=lambda address: click.echo(f"open {address} (Ctrl-C ends it)"))
