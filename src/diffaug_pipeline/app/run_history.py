"""All runs: what each came to, its curves and its report, and how two of them differ."""

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import Any

import gradio as gr
from gradio.context import Context
from markupsafe import Markup
from plotly.graph_objects import Figure

from diffaug_pipeline.app.reports import address_of
from diffaug_pipeline.app.sentences import warn
from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.history.differences import (
    Difference,
    compare_parameters,
    compare_results,
    compare_seconds,
)
from diffaug_pipeline.history.findings import describe_findings
from diffaug_pipeline.history.reading import read_history
from diffaug_pipeline.history.runs import Run
from diffaug_pipeline.history.tables import (
    RUN_COLUMNS,
    show_seconds,
    show_value,
    tabulate_differences,
    tabulate_runs,
)
from diffaug_pipeline.project import Project

ALL_TASKS = "all tasks"
FIGURE, REPORT = "_figure", ".report"
FIGURES_OF_THE_VERDICT = ("arms_figure", "per_class_figure", "learning_curves_figure")
"""Shown before those of other stages and studies."""
PLOT_WIDTH_PX = 480
"""Windows that have room for two of them show two beside each other, narrower ones one."""
BUTTON_WIDTH_PX = 310
TITLE_LETTERS = 26
"""Of an axis, in a line."""
UNFOLDED_ROWS = 20
"""Longer tables are folded at first."""


def build(project: Project) -> None:
    """The screen, inside the tab that is open."""
    with gr.Row():
        task = gr.Dropdown([ALL_TASKS], value=ALL_TASKS, label="Task", filterable=False)
        refresh = gr.Button("Refresh", scale=0, size="sm")
    table = gr.Dataframe(headers=list(RUN_COLUMNS), interactive=False, label="Runs, newest first", max_height=400)
    damaged = gr.HTML(visible=False)
    with gr.Row():
        chosen = gr.Dropdown([], label="Run")
        other = gr.Dropdown([], label="Compare with")

    def list_runs(
        task: str, chosen: str | None, other: str | None
    ) -> tuple[gr.Dropdown, gr.Dataframe, gr.HTML, gr.Dropdown, gr.Dropdown]:
        history = read_history(project.artifact)
        tasks = sorted({of_run for run in history.runs for of_run in run.results})
        rows = tabulate_runs(history.runs, _one_of(task))
        run_ids = list(dict.fromkeys(row[0] for row in rows))
        return (
            gr.Dropdown([ALL_TASKS, *tasks]),
            gr.Dataframe(rows),
            gr.HTML(_as_list(history.damaged), visible=bool(history.damaged)),
            gr.Dropdown(run_ids, value=chosen if chosen in run_ids else None),
            gr.Dropdown([("nothing", None), *run_ids], value=other if other in run_ids else None),
        )

    triggers, listed = [Context.root_block.load, task.change, refresh.click], [task, table, damaged, chosen, other]
    gr.on(triggers, list_runs, [task, chosen, other], listed, api_visibility="private")
    table.select(_run_of_row, outputs=chosen, api_visibility="private")

    @gr.render([chosen, other, task])
    def show(chosen: str | None, other: str | None, task: str) -> None:
        history = read_history(project.artifact)
        try:
            runs = [history.find(run_id) for run_id in (chosen, other) if chosen and run_id]
        except VersionError as error:
            gr.HTML(warn(str(error)))
            return
        if runs:
            _show_run(project, runs[0], _one_of(task))
        if len(runs) == 2:
            _show_comparison(*runs, _one_of(task))


def _one_of(task: str) -> str | None:
    return None if task == ALL_TASKS else task


def _run_of_row(event: gr.SelectData) -> str:
    return event.row_value[0]


def _show_run(project: Project, run: Run, task: str | None) -> None:
    found = [Markup("<b>{}</b>: {}").format(*finding) for finding in describe_findings(run, task)]
    gr.HTML(Markup("<h2>Run {}: {}</h2>{}").format(run.run_id, run.status, _as_list(found)), padding=False)
    if run.last.error is not None:
        gr.Textbox(run.last.error, label="Why it stopped", interactive=False)
    with gr.Row():
        for name in _stored(project, run, task, REPORT):
            _link_report(run.run_id, name.removesuffix(REPORT))
    with gr.Row():
        for name in sorted(_stored(project, run, task, FIGURE), key=_is_aside):
            with gr.Column(min_width=PLOT_WIDTH_PX):
                gr.Markdown(f"### {name.removesuffix(FIGURE).replace('.', ': ').replace('_', ' ')}")
                _show_figure(project, name, run.run_id)


def _show_figure(project: Project, name: str, run_id: str) -> None:
    try:
        figure = project.load(name, run_id)
    except VersionError as error:
        gr.HTML(warn(str(error)))
    else:
        gr.Plot(fit_narrow_windows(figure), show_label=False)


def fit_narrow_windows(figure: Figure) -> Figure:
    """Axis titles in short lines, and a legend that leaves the place of a menu to it."""
    for axis in figure.select_xaxes():
        if axis.title.text:
            axis.title.text = "<br>".join(wrap(axis.title.text, TITLE_LETTERS, break_on_hyphens=False))
    if figure.layout.updatemenus:
        figure.update_layout(legend={"x": 0, "xanchor": "left", "y": -0.15, "yanchor": "top"})
    return figure


def _is_aside(name: str) -> bool:
    return not name.endswith(FIGURES_OF_THE_VERDICT)


def _link_report(run_id: str, task: str) -> None:
    address = address_of(run_id, task)
    label = f"Open the report on {task}"
    gr.Button(label, link=address, link_target="_blank", size="md", scale=0, min_width=BUTTON_WIDTH_PX)


def _stored(project: Project, run: Run, task: str | None, ending: str) -> list[str]:
    """What the run wrote and still has."""
    names = [name for name in run.named(ending) if task in (None, name.partition(".")[0])]
    return [name for name in names if project.artifact(name).has_version(run.run_id)]


def _show_comparison(first: Run, second: Run, task: str | None) -> None:
    gr.HTML(Markup("<h2>{} beside {}</h2>").format(first.run_id, second.run_id), padding=False)
    for of_task in dict.fromkeys((*first.results, *second.results)):
        results = compare_results(first, second, of_task)
        if results and task in (None, of_task):
            _show_differences(f"Results on {of_task}", first, second, results, show_value)
    parameters = compare_parameters(first, second)
    _show_differences(f"Parameters that differ: {len(parameters)}", first, second, parameters, show_value)
    _show_differences("Time in nodes", first, second, compare_seconds(first, second), show_seconds)


def _show_differences(
    title: str, first: Run, second: Run, differences: list[Difference], show: Callable[[Any], str]
) -> None:
    with gr.Accordion(title, open=len(differences) <= UNFOLDED_ROWS):
        rows = tabulate_differences(differences, show)
        gr.HTML(_as_table(["", first.run_id, second.run_id], rows), elem_classes="differences", padding=False)


def _as_table(columns: list[str], rows: list[list[str]]) -> Markup:
    """Whose words wrap where the window is narrow, unlike those of Gradio's tables."""
    head = Markup().join(Markup("<th scope='col'>{}</th>").format(column) for column in columns)
    body = Markup().join(
        Markup("<tr><th scope='row'>{}</th>{}</tr>").format(
            name, Markup().join(Markup("<td>{}</td>").format(cell) for cell in cells)
        )
        for name, *cells in rows
    )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, body)


def _as_list(sentences: Sequence[str]) -> Markup:
    return Markup("<ul>{}</ul>").format(Markup().join(Markup("<li>{}</li>").format(each) for each in sentences))
