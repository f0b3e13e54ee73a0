"""The fields of the playground, and how they follow each other."""

from collections.abc import Sequence
from typing import Any, get_args

import gradio as gr
from gradio.components import Component

from diffaug_pipeline.app.drawing_room import DrawingRoom
from diffaug_pipeline.playground.presets import schedulers_of
from diffaug_pipeline.playground.request import MOST_PICTURES
from diffaug_pipeline.synthesis.options import GeneratorPreset, Mode
from diffaug_pipeline.synthesis.schedulers import SOLVERS, SchedulerName

BRUSH = gr.Brush(default_size=8, colors=["#ffffff"], default_color="#ffffff", color_mode="fixed")


def lay_out_fields(room: DrawingRoom, class_names: Sequence[str]) -> dict[str, Component]:
    """By the name of the form's field."""
    synthesis = room.synthesis
    preset = room.presets[synthesis.generator]
    mode, starts_from_source = synthesis.mode or "text_to_image", synthesis.mode == "image_to_image"
    fields: dict[str, Component] = {
        "generator": gr.Dropdown(list(room.presets), value=synthesis.generator, label="Generator", filterable=False),
        "mode": gr.Radio(list(get_args(Mode)), value=mode, label="Mode"),
        "class_name": gr.Dropdown(
            list(class_names),
            value=next(iter(class_names), None),
            label="Class",
            info="one of these or any other; the prompts of a run are made of it",
            allow_custom_value=True,
        ),
        "prompt": gr.Textbox(
            label="Prompt",
            info="empty: the sentences a run would take; {class_name} stands for the class",
            max_length=1_000,
        ),
        "negative_prompt": gr.Textbox(room.vocabulary(preset).negative_prompt, label="Negative prompt"),
        "source": gr.File(label="Source", file_types=["image"], height=120, visible=starts_from_source),
        "drawing": gr.ImageEditor(
            label="Mask: paint over what is to be drawn anew",
            type="pil",
            image_mode="RGBA",
            sources=(),
            transforms=(),
            layers=False,
            brush=BRUSH,
            visible=False,
        ),
        "strength": gr.Slider(0.05, 1, synthesis.strengths[0], step=0.05, label="Strength", visible=starts_from_source),
    }
    scheduler = synthesis.scheduler_with(preset)
    fields["scheduler"] = gr.Dropdown(schedulers_of(preset), value=scheduler, label="Scheduler")
    with gr.Row():
        steps, guidance_scale = synthesis.steps_with(preset), getattr(preset.guidance_scale, mode)
        fields["num_inference_steps"] = gr.Number(steps, precision=0, label="Steps", min_width=90)
        fields["guidance_scale"] = gr.Number(
            synthesis.guidance_scale or guidance_scale, step=0.5, label="Guidance scale", min_width=90
        )
    with gr.Row():
        fields["seed"] = gr.Number(synthesis.seed, precision=0, label="Seed", min_width=90)
        fields["count"] = gr.Number(4, precision=0, label=f"Count, at most {MOST_PICTURES}", min_width=90)
    fields["eta"] = gr.Slider(
        0, 1, synthesis.eta or 0, label="Eta: share of fresh noise per step", visible=SOLVERS[scheduler].has_eta
    )
    return fields


def lay_out_comparison(room: DrawingRoom) -> tuple[gr.Dropdown, gr.Textbox]:
    """Schedulers, and strengths as text."""
    preset = room.presets[room.synthesis.generator]
    return (
        gr.Dropdown(schedulers_of(preset), value=_worth_comparing(preset), multiselect=True, label="Schedulers"),
        gr.Textbox("0.3, 0.5, 0.8", label="Strengths", info="of image_to_image and inpainting"),
    )


def follow_generator(room: DrawingRoom, generator: str, mode: Mode) -> tuple[Any, ...]:
    """Scheduler, steps, guidance scale and negative prompt that suit the generator; schedulers to compare."""
    preset = room.presets[generator]
    fitting = schedulers_of(preset)
    return (
        gr.Dropdown(fitting, value=preset.scheduler),
        preset.num_inference_steps,
        getattr(preset.guidance_scale, mode),
        room.vocabulary(preset).negative_prompt,
        gr.Dropdown(fitting, value=_worth_comparing(preset)),
    )


def follow_mode(room: DrawingRoom, generator: str, mode: Mode) -> tuple[Any, ...]:
    """Source, drawing and strength where the mode has them; the guidance scale that suits it."""
    starts_from_source = mode != "text_to_image"
    return (
        gr.File(visible=starts_from_source),
        gr.ImageEditor(visible=mode == "inpainting"),
        gr.Slider(visible=starts_from_source),
        getattr(room.presets[generator].guidance_scale, mode),
    )


def follow_scheduler(scheduler: SchedulerName) -> gr.Slider:
    """Eta, where it means something."""
    return gr.Slider(visible=SOLVERS[scheduler].has_eta)


def _worth_comparing(preset: GeneratorPreset) -> list[SchedulerName]:
    """To begin with: the preset's own scheduler and two others."""
    others = [name for name in schedulers_of(preset) if name != preset.scheduler]
    return [preset.scheduler, *others[:2]]
