"""Look at what the filter decided, move its thresholds, keep or reject single images; the next run goes by it."""

from functools import partial
from typing import Any

import gradio as gr
from gradio.events import Dependency

from diffaug_pipeline.app.desk_handlers import (
    ALL_CLASSES,
    DIALS,
    FIRST_COLUMN,
    VERDICTS,
    DeskHandlers,
    back_to_calibrated,
    choose,
    first_page,
)
from diffaug_pipeline.app.desk_room import SHOWN, DeskRoom
from diffaug_pipeline.app.desk_views import source
from diffaug_pipeline.project import Project

SILENT = {"api_visibility": "private", "show_progress": "hidden"}


def build(project: Project) -> None:
    """The screen, inside the tab that is open."""
    _Screen(DeskHandlers(DeskRoom(project)))


class _Screen:
    """Components, and which handler each calls; what a visitor has decided is kept by the page."""

    def __init__(self, handlers: DeskHandlers):
        self._handlers = handlers
        self._overrides, self._known, self._chosen = gr.State(), gr.State(), gr.State()
        with gr.Row():
            self._task = gr.Dropdown([], label="Task", filterable=False, min_width=120)
            self._run = gr.Dropdown([], label="Run", filterable=False, min_width=120)
            self._class = gr.Dropdown([ALL_CLASSES], value=ALL_CLASSES, label="Class", min_width=120)
            self._refresh = gr.Button("Refresh", scale=0, size="sm")
        self._status = _html()
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=300):
                self._lay_out_thresholds()
            with gr.Column(scale=3, min_width=300):
                self._lay_out_pictures()
        self._connect()

    def _lay_out_thresholds(self) -> None:
        self._counts = _html()
        with gr.Accordion("Thresholds", open=True):
            self._dials = [gr.Slider(label=column, visible=False, buttons=[]) for _, column in DIALS]
            gr.Markdown("Rules that go by no single threshold, as leakage and task model do, have no slider.")
            self._calibrated = gr.Button("Back to calibrated thresholds", size="sm")
        with gr.Row():
            self._save = gr.Button("Save", variant="primary", size="sm")
            self._load = gr.Button("Back to what is saved", size="sm")
        self._saved = _html()
        self._command = gr.Code(
            language="shell", label="A run that goes by it", interactive=False, visible=False, lines=1, wrap_lines=True
        )

    def _lay_out_pictures(self) -> None:
        with gr.Row():
            self._column = gr.Dropdown([FIRST_COLUMN], value=FIRST_COLUMN, label="Sort by", min_width=120)
            self._shown = gr.Dropdown(SHOWN, value=SHOWN[0], label="Show", filterable=False, min_width=120)
            self._page = gr.Number(1, label="Page", precision=0, minimum=1, min_width=80)
            self._descending = gr.Checkbox(True, label="Highest first", min_width=120)
        self._tiles = _html(js_on_load=source("tiles.js"))
        gr.Markdown("On a picture, the keys K, R and U keep, reject and undo.")
        with gr.Row():
            self._buttons = {name: gr.Button(name, size="sm", interactive=False, min_width=80) for name in VERDICTS}
        self._details = _html()

    def _connect(self) -> None:
        handlers, where = self._handlers, [self._task, self._run]
        state = [*where, self._overrides]
        opened = [
            *where,
            self._class,
            self._column,
            self._page,
            self._overrides,
            self._known,
            self._chosen,
            self._status,
        ]

        self._show_after(gr.on(fn=handlers.refresh, outputs=opened, **SILENT), dials=True)  # when the page is opened
        self._show_after(self._refresh.click(handlers.refresh, state, opened, **SILENT), dials=True)
        self._show_after(self._task.input(handlers.open, self._task, opened, **SILENT), dials=True)
        self._show_after(self._run.input(handlers.open, state, opened, **SILENT), dials=True)
        self._show_after(self._class.input(first_page, outputs=self._page, **SILENT), dials=True)
        for component in (self._column, self._descending, self._shown):
            self._show_after(component.input(first_page, outputs=self._page, **SILENT))
        self._show_after(self._page.input(lambda: None, **SILENT))

        for dial, (rule, column) in zip(self._dials, DIALS, strict=True):
            turn = partial(handlers.turn, rule, column)
            event = dial.input(turn, [*state, self._class, dial], self._overrides, trigger_mode="always_last", **SILENT)
            self._show_after(event)
        calibrated = self._calibrated.click(back_to_calibrated, self._overrides, self._overrides, **SILENT)
        self._show_after(calibrated, dials=True)

        self._tiles.select(choose, outputs=self._chosen, **SILENT).then(**self._describing())
        decided = [self._overrides, self._chosen]
        self._show_after(self._tiles.apply(handlers.decide_by_key, state, decided, **SILENT))
        for name, button in self._buttons.items():
            decide = partial(handlers.decide, VERDICTS[name])
            self._show_after(button.click(decide, [*state, self._chosen], self._overrides, **SILENT))

        self._save.click(handlers.store, [*state, self._known], [self._saved, self._command, self._known], **SILENT)
        loaded = self._load.click(handlers.read_again, where, [self._overrides, self._known, self._saved], **SILENT)
        self._show_after(loaded, dials=True)

    def _show_after(self, event: Dependency, dials: bool = False) -> None:
        """Shows anew what follows from the state of the page; `dials` as well, unless one of them is being turned."""
        state = [self._task, self._run, self._overrides]
        view = [self._class, self._column, self._descending, self._shown, self._page, self._chosen]
        pictures = [self._counts, self._tiles, self._page]
        shown = event.then(self._handlers.show, [*state, *view], pictures, **SILENT).then(**self._describing())
        if dials:
            shown.then(self._handlers.set_dials, [*state, self._class], self._dials, **SILENT)

    def _describing(self) -> dict[str, Any]:
        return {
            "fn": self._handlers.describe,
            "inputs": [self._task, self._run, self._overrides, self._chosen],
            "outputs": [*self._buttons.values(), self._details],
            **SILENT,
        }


def _html(**changes: Any) -> gr.HTML:
    """In the style of the desk, without Gradio's for texts."""
    return gr.HTML(css_template=source("desk.css"), apply_default_css=False, **changes)
