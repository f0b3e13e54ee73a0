"""The page, and the server that gives it to this machine alone."""

from collections.abc import Callable

import gradio as gr
from starlette.middleware import Middleware

from diffaug_pipeline.app import filter_desk, playground, run_history
from diffaug_pipeline.app.own_pages import NAMES, OwnPagesOnly
from diffaug_pipeline.app.reports import add_reports
from diffaug_pipeline.app.style import CSS, THEME
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.project import Project

TITLE = "diffaug_pipeline"
SCREENS = {"Playground": playground, "Filter desk": filter_desk, "Runs": run_history}
LARGEST_UPLOAD = "200mb"
SECONDS_PER_DAY = 86_400


def build_page(project: Project) -> gr.Blocks:
    """A tab per screen."""
    # Gradio keeps copies of what is uploaded and shown; those of a day ago go.
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3_600, SECONDS_PER_DAY)) as page:
        gr.Markdown(f"# {TITLE}", elem_id="title")
        for name, screen in SCREENS.items():
            with gr.Tab(name):
                screen.build(project)
    return page


def serve(project: Project, port: int | None, announce: Callable[[str], None]) -> None:
    """Serves the page until the process is told to stop; at `port`, or the first free one from 7860.

    `announce` is told the address once the page is there. Raises `ParameterError` where the port is in use.
    """
    page = build_page(project).queue()
    try:
        server, address, _ = page.launch(
            server_name=NAMES[0],
            server_port=port,
            share=False,
            ssr_mode=False,
            theme=THEME,
            css=CSS,
            footer_links=[],
            max_file_size=LARGEST_UPLOAD,
            app_kwargs={"middleware": [Middleware(OwnPagesOnly)]},
            quiet=True,
            prevent_thread_lock=True,
        )
    except OSError as error:
        raise ParameterError(
            f"port {port or '7860 and those after it'} cannot be had ({error}); name a free one with --port."
        ) from error
    add_reports(server, project)
    announce(address)
    page.block_thread()
