"""All runs: what each came to, its curves and its report, and how two of them differ."""

from collections.abc import Callable
from typing import Any

import gradio as gr
from markupsafe import Markup

from diffaug_pipeline.app.reports import address_of
from diffaug_pipeline.history.differences import (
    Difference,
    compare_parameters,
    compare_results,
    compare_seconds,
)
from diffaug_pipeline.history.findings import describe_study, describe_verdict
from diffaug_pipeline.history.reading import read_history
from diffaug_pipeline.history.runs import STUDIES, Run
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
UNFOLDED_ROWS = 20
"""Longer tables are folded at first."""


def build(project: Project) -> None:
    """The screen, inside the tab that is open."""
    with gr.Row():
        task = gr.Dropdown([ALL_TASKS], value=ALL_TASKS, label="Task", filterable=False)
        refresh = gr.Button("Refresh", scale=0, size="sm")
    table = gr.Dataframe(headers=list(RUN_COLUMNS), interactive=False, label="Runs, newest first", max_height=400)
    damaged = gr.Markdown(visible=False)
    with gr.Row():
        chosen = gr.Dropdown([], label="Run")
        other = gr.Dropdown([], label="Compare with")

    def list_runs(task: str) -> tuple[gr.Dropdown, gr.Dataframe, gr.Markdown, gr.Dropdown, gr.Dropdown]:
        history = read_history(project.artifact)
        tasks = sorted({of_run for run in history.runs for of_run in run.results})
        rows = tabulate_runs(history.runs, _one_of(task))
        run_ids = list(dict.fromkeys(row[0] for row in rows))
        return (
            gr.Dropdown([ALL_TASKS, *tasks]),
            gr.Dataframe(rows),
            gr.Markdown(_as_list(history.damaged), visible=bool(history.damaged)),
            gr.Dropdown(run_ids),
            gr.Dropdown([("nothing", None), *run_ids]),
        )

    listed = [task, table, damaged, chosen, other]
    gr.on(fn=list_runs, inputs=task, outputs=listed, api_visibility="private")  # also when the page is opened
    refresh.click(list_runs, task, listed, api_visibility="private")
    table.select(_run_of_row, outputs=chosen, api_visibility="private")

    @gr.render([chosen, other, task])
    def show(chosen: str | None, other: str | None, task: str) -> None:
        history = read_history(project.artifact)
        if chosen:
            _show_run(project, history.find(chosen), _one_of(task))
        if chosen and other:
            _show_comparison(history.find(chosen), history.find(other), _one_of(task))


def _one_of(task: str) -> str | None:
    return None if task == ALL_TASKS else task


def _run_of_row(event: gr.SelectData) -> str:
    return event.row_value[0]


def _show_run(project: Project, run: Run, task: str | None) -> None:
    gr.Markdown(f"## Run {run.run_id}: {run.status}\n\n{_as_list(_sentences(project, run, task))}")
    if run.error is not None:
        gr.Textbox(run.error, label="Why it stopped", interactive=False)
    with gr.Row():
        for name in _stored(project, run, task, REPORT):
            _link_report(run.run_id, name.removesuffix(REPORT))
    with gr.Row():
        for name in sorted(_stored(project, run, task, FIGURE), key=_is_aside):
            with gr.Column(min_width=PLOT_WIDTH_PX):
                gr.Markdown(f"### {name.removesuffix(FIGURE).replace('.', ': ').replace('_', ' ')}")
                gr.Plot(project.load(name, run.run_id), show_label=False)


def _is_aside(name: str) -> bool:
    return not name.endswith(FIGURES_OF_THE_VERDICT)


def _link_report(run_id: str, task: str) -> None:
    address = address_of(run_id, task)
    label = f"Open the report on {task}"
    gr.Button(label, link=address, link_target="_blank", size="md", scale=0, min_width=BUTTON_WIDTH_PX)


def _sentences(project: Project, run: Run, task: str | None) -> list[str]:
    verdicts = {of_task: verdict for of_task, verdict in run.verdicts.items() if task in (None, of_task)}
    return [f"**{of_task}**: {describe_verdict(verdict)}" for of_task, verdict in verdicts.items()] + [
        f"**{name.removesuffix(f'.{study}')}**: {describe_study(study, project.load(name, run.run_id))}"
        for study in STUDIES
        for name in _stored(project, run, task, f".{study}")
    ]


def _stored(project: Project, run: Run, task: str | None, ending: str) -> list[str]:
    """What the run wrote and still has."""
    names = [name for name in run.named(ending) if task in (None, name.partition(".")[0])]
    return [name for name in names if project.artifact(name).has_version(run.run_id)]


def _show_comparison(first: Run, second: Run, task: str | None) -> None:
    gr.Markdown(f"## {first.run_id} beside {second.run_id}")
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


def _as_list(sentences: list[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)
