"""Try a generator: one request, its pictures, what they cost, and the same request in other ways."""

import dataclasses
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.context import Context

from diffaug_pipeline.app.drawing_room import DrawingRoom, Form, StoppedError
from diffaug_pipeline.app.playground_fields import (
    follow_generator,
    follow_mode,
    follow_scheduler,
    lay_out_comparison,
    lay_out_fields,
)
from diffaug_pipeline.app.sentences import say, warn
from diffaug_pipeline.errors import DiffaugError, VersionError
from diffaug_pipeline.playground.comparison import compare_schedulers, compare_strengths
from diffaug_pipeline.playground.request import Request
from diffaug_pipeline.project import Project
from diffaug_pipeline.synthesis.known_classes import classes_taught

REAL_IMAGES = "classification.real_images"
ONE_AT_A_TIME = {"concurrency_limit": 1, "concurrency_id": "generator"}
PRIVATE = {"api_visibility": "private"}
PROGRESS = gr.Progress()
UNCHANGED = gr.skip()
STOPPED = "Stopped; nothing is drawn any more."
FORM_FIELDS = len(dataclasses.fields(Form))


def build(project: Project) -> None:
    """The screen, inside the tab that is open."""
    room = DrawingRoom(project)
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=300):
            fields = lay_out_fields(room, known_classes(project, room))
            with gr.Row():
                generate = gr.Button("Generate", variant="primary")
                cancel = gr.Button("Cancel")
            with gr.Accordion("Compare, from the same seeds", open=False):
                schedulers, strengths = lay_out_comparison(room)
                with gr.Row():
                    by_scheduler = gr.Button("Compare schedulers")
                    by_strength = gr.Button("Compare strengths")
            with gr.Accordion("As parameters of a run", open=False):
                copy = gr.Button("Copy as parameters")
                parameters = gr.Code(language="yaml", label="conf/local/parameters.yml", interactive=False)
        with gr.Column(scale=3, min_width=300):
            status = gr.HTML(say("The model is loaded when the first picture is asked for."))
            pictures = gr.HTML(elem_id="pictures", min_height=120)
    _connect_fields(room, fields, schedulers, status)
    form = [fields[field.name] for field in dataclasses.fields(Form)]
    drawings, draw = [], {"outputs": [pictures, status], "show_progress_on": pictures, **ONE_AT_A_TIME, **PRIVATE}
    for button, ways, compared in (
        (generate, _one, []),
        (by_scheduler, compare_schedulers, [schedulers]),
        (by_strength, compare_strengths, [strengths]),
    ):
        asked_at = gr.State()
        asked = button.click(time.monotonic, outputs=asked_at, queue=False, **PRIVATE)
        drawings.append(asked.then(_drawing(room, ways), [asked_at, *form, *compared], **draw))
    stopped = cancel.click(room.stop, cancels=drawings, queue=False, **PRIVATE)
    # Gradio calls what has not had its turn an error; it takes that back where the pictures get an answer.
    stopped.then(lambda: (UNCHANGED, say(STOPPED)), outputs=[pictures, status], queue=False, **PRIVATE)
    Context.root_block.unload(room.stop)
    write = _explained("Copied.", otherwise="")(lambda *values: room.parameters(room.read(Form(*values))))
    written = copy.click(write, form, [parameters, status], **PRIVATE)
    written.then(None, parameters, js="(text) => { if (text) navigator.clipboard.writeText(text); }", **PRIVATE)


def known_classes(project: Project, room: DrawingRoom) -> list[str]:
    """What the last run's real images show; before there is one, what the generator was taught."""
    for run_id in project.run_ids(REAL_IMAGES):
        with suppress(VersionError):  # a damaged one keeps nobody from drawing
            return project.load(REAL_IMAGES, run_id).class_names
    return classes_taught(room.presets[room.synthesis.generator].model) or []


def _one(request: Request) -> list[Request]:
    return [request]


def _connect_fields(room: DrawingRoom, fields: dict[str, Component], schedulers: gr.Dropdown, status: gr.HTML) -> None:
    chosen = [fields["generator"], fields["mode"]]
    of_generator = ("scheduler", "num_inference_steps", "guidance_scale", "negative_prompt")
    of_mode = ("source", "drawing", "strength", "guidance_scale")
    fields["generator"].change(
        partial(follow_generator, room), chosen, [*(fields[name] for name in of_generator), schedulers], **PRIVATE
    )
    fields["mode"].change(partial(follow_mode, room), chosen, [fields[name] for name in of_mode], **PRIVATE)
    fields["scheduler"].change(follow_scheduler, fields["scheduler"], fields["eta"], **PRIVATE)
    show = _explained("The source is taken in.")(room.show_source)
    fields["source"].upload(show, fields["source"], [fields["drawing"], status], **PRIVATE)
    fields["source"].clear(lambda: (None, say("There is no source.")), outputs=[fields["drawing"], status], **PRIVATE)


def _drawing(room: DrawingRoom, ways: Callable[..., list[Request]]) -> Callable[..., tuple[Any, str]]:
    """A handler that draws what the form asks for in all `ways`, told what the fields after the form's say."""

    @_explained("Done.")
    def draw(progress: gr.Progress = PROGRESS, visitor: gr.Request = None, asked_at: float = 0.0, *values: Any) -> str:
        def report(done: int, total: int) -> None:
            room.check_wanted(visitor, asked_at)
            progress((done, total), desc="drawing", unit="model evaluations")

        room.check_wanted(visitor, asked_at)
        progress(0, desc="loading the model")
        form, compared = values[:FORM_FIELDS], values[FORM_FIELDS:]
        return room.draw(ways(room.read(Form(*form)), *compared), report)

    return draw


def _explained(done: str, otherwise: Any = UNCHANGED) -> Callable[[Callable[..., Any]], Callable[..., tuple[Any, str]]]:
    """Gives a handler a second result for the status: `done`, or what keeps it from a result, in one sentence.

    The first result is then `otherwise`.
    """

    def explain(handler: Callable[..., Any]) -> Callable[..., tuple[Any, str]]:
        @wraps(handler)
        def explained(*values: Any) -> tuple[Any, str]:
            try:
                return handler(*values), say(done)
            except StoppedError:
                return otherwise, say(STOPPED)
            except DiffaugError as error:
                return otherwise, warn(str(error))

        return explained

    return explain
